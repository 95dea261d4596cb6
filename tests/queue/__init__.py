"""The bell, the worker and several of them, on real servers and the real clock."""
