"""Workflows that run elsewhere: an application with Novu's framework says what each step does, and we do it."""

from .directory import Remotes, RemoteWorkflow
from .follow import follow
from .sync import connect, sync, validate

__all__ = ["RemoteWorkflow", "Remotes", "connect", "follow", "sync", "validate"]
