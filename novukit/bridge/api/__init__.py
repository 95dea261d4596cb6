"""The server-to-server API. ``HANDLERS`` is all of it: one line for each module."""

from __future__ import annotations

from typing import Any

from . import (
    activity,
    contexts,
    credentials,
    environments,
    events,
    executions,
    integrations,
    keys,
    messages,
    notifications,
    outcomes,
    preferences,
    subscribers,
    subscriptions,
    suppressions,
    sync,
    topics,
    trial,
    webhooks,
    workflows,
)

HANDLERS: list[Any] = [
    *environments.HANDLERS,
    *integrations.HANDLERS,
    *trial.HANDLERS,
    *keys.HANDLERS,
    *credentials.HANDLERS,
    *preferences.HANDLERS,
    *webhooks.HANDLERS,
    *subscribers.HANDLERS,
    *suppressions.HANDLERS,
    *topics.HANDLERS,
    *contexts.HANDLERS,
    *subscriptions.HANDLERS,
    *events.HANDLERS,
    *messages.HANDLERS,
    *notifications.HANDLERS,
    *activity.HANDLERS,
    *executions.HANDLERS,
    *outcomes.HANDLERS,
    *workflows.HANDLERS,
    *sync.HANDLERS,
]
