"""The hooks that a plugin may implement. They collect; none is called while a message is being sent."""

from __future__ import annotations

import pluggy

from .base import AnyProvider

PROJECT = "novukit"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's functions that implement a hook."""


@hookspec
def novukit_providers() -> list[type[AnyProvider]]:  # pyright: ignore[reportReturnType] - a specification has no body
    """The provider classes that this plugin adds."""
