"""The door for workflow authors and callers: notification workflows in Python.

Names are looked up when they are used, so that the command line and pytest do not pay for what they do not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .authoring import Context, Step, Workflow, route, workflow
    from .authoring.sending import Sender
    from .client import Client
    from .errors import NovukitError, StepFailed
    from .model import (
        Action,
        Attachment,
        Digest,
        DigestEvent,
        Everyone,
        Facts,
        Redirect,
        Retry,
        Sent,
        Subscriber,
        Throttled,
        TopicRecipient,
        Triggered,
        WorkflowPreferences,
    )

__version__ = "0.1.0"

__all__ = [
    "Action", "Attachment", "Client", "Context", "Digest", "DigestEvent", "Everyone", "Facts", "NovukitError",
    "Redirect", "Retry", "Sent", "Step", "StepFailed", "Subscriber", "Throttled", "TopicRecipient", "Triggered",
    "Workflow", "WorkflowPreferences", "__version__", "route", "workflow",
]  # fmt: skip

_HOMES = {
    "Client": "client", "NovukitError": "errors", "StepFailed": "errors",
    **dict.fromkeys(("Context", "Step", "Workflow", "route", "workflow"), "authoring"),
}  # fmt: skip
"""Where a name lives; the others are nouns, in ``model``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f".{_HOMES.get(name, 'model')}", __name__), name)
    globals()[name] = found
    return found


def connect(url: str, secret_key: str) -> Sender:
    """What ``workflow.trigger`` sends through when NOVUKIT_URL and NOVUKIT_SECRET_KEY name a server."""
    from .client import Client

    return Client(url, secret_key).trigger
