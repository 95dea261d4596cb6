"""novukit: notification workflows in Python. This is the door for workflow authors and callers."""
