"""What `novukit import novu` is made of: two servers that speak Novu's API, and a ledger of how far it has come."""
