"""Novu's official clients, unmodified, against a novukit as a user starts it."""
