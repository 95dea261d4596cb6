"""The processes that are measured on novukit's side, each started by the bench as a process of its own."""
