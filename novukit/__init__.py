"""The door for workflow authors and callers: notification workflows in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .authoring import Context, Step, Workflow, sending, workflow
from .errors import NovukitError, StepFailed
from .model import (
    Action,
    Attachment,
    Digest,
    DigestEvent,
    Everyone,
    Redirect,
    Retry,
    Sent,
    Subscriber,
    Throttled,
    TopicRecipient,
    Triggered,
    WorkflowPreferences,
)  # fmt: skip

if TYPE_CHECKING:
    from .client import Client

__version__ = "0.1.0"

__all__ = [
    "Action", "Attachment", "Client", "Context", "Digest", "DigestEvent", "Everyone", "NovukitError", "Redirect",
    "Retry", "Sent", "Step", "StepFailed", "Subscriber", "Throttled", "TopicRecipient", "Triggered", "Workflow",
    "WorkflowPreferences", "__version__", "workflow",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # The client needs httpx, which a workflow's module does not.
    if name == "Client":
        from .client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _connect(url: str, secret_key: str) -> sending.Sender:
    from .client import Client

    return Client(url, secret_key).trigger


sending.connect_with(_connect)
