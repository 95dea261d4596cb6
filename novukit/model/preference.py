"""A preference: which channels a subscriber wants, for one workflow or for all; and how the layers add up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from .base import Model
from .step import CHANNELS, Channel

PreferenceSource = Literal["subscriber", "template", "workflowOverride"]


class WorkflowPreferences(Model):
    """A workflow's own defaults. ``read_only`` makes it critical: subscribers cannot switch it off."""

    enabled: bool = True
    channels: dict[Channel, bool] = {}
    read_only: bool = False


class Preference(Model):
    """What a subscriber chose; ``workflow_id`` is ``None`` for the global preference."""

    workflow_id: str | None = None
    channels: dict[Channel, bool] = {}
    schedule: dict[str, Any] | None = None
    updated_at: datetime | None = None


class EffectivePreference(Model):
    """What holds for a workflow after all layers, and where each channel's answer comes from."""

    enabled: bool
    channels: dict[Channel, bool]
    sources: dict[Channel, PreferenceSource]


def resolve_one(
    defaults: WorkflowPreferences, everywhere: Mapping[Channel, bool], here: Mapping[Channel, bool], channel: Channel
) -> tuple[bool, PreferenceSource]:
    """Whether a channel may be used, and who says so; strongest first, as :func:`resolve`."""
    if not defaults.read_only:
        if channel in here:
            return here[channel], "subscriber"
        if channel in everywhere:
            return everywhere[channel], "subscriber"
    return defaults.enabled and defaults.channels.get(channel, True), "template"


def resolve(
    defaults: WorkflowPreferences, everywhere: Mapping[Channel, bool], here: Mapping[Channel, bool]
) -> EffectivePreference:
    """Add the layers up, strongest first: read-only workflow, subscriber's for the workflow, global, default."""
    answers: dict[Channel, tuple[bool, PreferenceSource]] = {
        kind.value: resolve_one(defaults, everywhere, here, kind.value) for kind in CHANNELS
    }
    channels: dict[Channel, bool] = {channel: wanted for channel, (wanted, _) in answers.items()}
    sources: dict[Channel, PreferenceSource] = {channel: source for channel, (_, source) in answers.items()}
    return EffectivePreference(enabled=any(channels.values()), channels=channels, sources=sources)
