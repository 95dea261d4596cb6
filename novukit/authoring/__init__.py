"""What workflow authors write with: ``@workflow``, its context and its steps; and how they are found and triggered."""

from .context import Context
from .registry import Registry
from .routing import Router, route
from .sending import Sender, sender, use_sender
from .step import ChannelOptions, Runner, Step
from .workflow import To, Workflow, workflow

__all__ = [
    "ChannelOptions", "Context", "Registry", "Router", "Runner", "Sender", "Step", "To", "Workflow", "route", "sender",
    "use_sender", "workflow",
]  # fmt: skip
