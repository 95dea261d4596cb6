"""Scenarios told through the public doors: one file, one story, on every engine."""
