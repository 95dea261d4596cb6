"""The providers that come with novukit. Each module is a plugin like any other and is loaded through the same hook."""

from __future__ import annotations

BUILTIN = (
    "novukit.providers.builtin.catcher",
    "novukit.providers.builtin.console",
    "novukit.providers.builtin.null",
    "novukit.providers.builtin.smtp",
)
