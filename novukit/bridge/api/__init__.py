"""The server-to-server API. ``HANDLERS`` is all of it: one line for each module."""

from __future__ import annotations

from typing import Any

from . import (
    activity,
    credentials,
    environments,
    events,
    executions,
    integrations,
    keys,
    layouts,
    messages,
    notifications,
    outcomes,
    preferences,
    promote,
    steps,
    subscribers,
    suppressions,
    sync,
    topics,
    translations,
    trial,
    variables,
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
    *events.HANDLERS,
    *messages.HANDLERS,
    *notifications.HANDLERS,
    *activity.HANDLERS,
    *executions.HANDLERS,
    *outcomes.HANDLERS,
    *workflows.HANDLERS,
    *sync.HANDLERS,
    *layouts.HANDLERS,
    *translations.HANDLERS,
    *variables.HANDLERS,
    *promote.HANDLERS,
    *steps.HANDLERS,
]
