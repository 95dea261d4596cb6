"""Taskiq: the bell and who hears it. A lost, late or doubled ring costs time, never work."""

from .bell import Bell
from .broker import make_broker
from .worker import Worker

__all__ = ["Bell", "Worker", "make_broker"]
