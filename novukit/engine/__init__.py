"""Runs workflows, durable by replay: verbs over one ``Runtime``."""

from .cancel import CancelAnswer, cancel, cancel_executions
from .receive import Receiver
from .repeat import Keyed, Repeated, judge
from .resolve import resolve
from .resume import resume
from .retain import retain
from .run import claim, run
from .runtime import Notice, Publish, Ring, Runtime, start
from .shift import Shift
from .sweep import sweep
from .trigger import trigger, trigger_all

__all__ = [
    "CancelAnswer", "Keyed", "Notice", "Publish", "Receiver", "Repeated", "Ring", "Runtime", "Shift", "cancel",
    "cancel_executions", "claim", "judge", "resolve", "resume", "retain", "run", "start", "sweep", "trigger",
    "trigger_all",
]  # fmt: skip
