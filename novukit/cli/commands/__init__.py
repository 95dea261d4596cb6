"""One file per command; each has its click command in ``command``."""
