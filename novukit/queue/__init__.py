"""Taskiq and Redis: the bell and who hears it, and notices. One that is lost or late costs time, never work."""

from .bell import Bell
from .broker import make_broker
from .notices import Notices
from .worker import Worker

__all__ = ["Bell", "Notices", "Worker", "make_broker"]
