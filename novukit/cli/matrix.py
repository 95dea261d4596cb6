"""What the providers at hand declare, in the words of people: for ``novukit providers`` and for the page in docs/."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..providers import AnyProvider, Limits, PluginHost

CHANNELS = {"email": "E-mail", "sms": "SMS", "push": "Push", "chat": "Chat", "in_app": "In-app"}
"""The channels in the order in which they are shown."""

KEYS = {"native": "native", "lookup": "look-up", "none": "none"}


@dataclass(frozen=True)
class Row:
    """One provider."""

    provider: type[AnyProvider]
    distribution: str
    """The installed package with its version, or ``built in``."""

    @property
    def supports(self) -> tuple[str, ...]:
        """The optional fields of the content that it expresses, in the content's order."""
        fields = self.provider.content_type.model_fields
        return tuple(name for name in fields if name in self.provider.supports)

    @property
    def idempotency(self) -> str:
        """What a second try with the same key does, and for how long: ``native 24 h``."""
        window = self.provider.idempotency_window
        return KEYS[self.provider.idempotency] + (f" {span(window)}" if window else "")

    @property
    def events(self) -> tuple[str, ...]:
        """The kinds of delivery events, in the order of their list."""
        from ..providers import EventKind

        return tuple(kind.value for kind in EventKind if kind in self.provider.events)

    @property
    def limits(self) -> tuple[str, ...]:
        """Each documented limit: ``2/s``, ``50 recipients``, ``40 MB``, ``body 2000 characters``."""
        return tuple(limits_of(self.provider.limits))

    def wire(self) -> dict[str, Any]:
        """All of it as JSON: spans in seconds, limits as numbers."""
        provider, limits = self.provider, self.provider.limits
        window = provider.idempotency_window
        return {
            "id": provider.id, "name": provider.name, "channel": provider.channel, "supports": self.supports,
            "idempotency": provider.idempotency, "idempotencyWindow": window.total_seconds() if window else None,
            "events": self.events, "distribution": self.distribution,
            "limits": {
                "rate": limits.rate, "size": limits.size, "recipients": limits.recipients,
                "lengths": dict(limits.lengths),
            },
        }  # fmt: skip


def rows(host: PluginHost) -> list[Row]:
    """Every provider that serves, by channel and id; what comes with novukit is last."""
    from ..providers.host import BUILT_IN

    order = list(CHANNELS)
    found = [
        Row(host.get(provider_id), status.distribution) for status in host.statuses for provider_id in status.providers
    ]
    return sorted(
        found, key=lambda row: (order.index(row.provider.channel), row.distribution == BUILT_IN, row.provider.id)
    )


def limits_of(limits: Limits) -> list[str]:
    """Each limit in a few words."""
    words: list[str] = []
    if limits.rate is not None:
        words.append(f"{limits.rate:,g}/s".replace(",", " "))
    if limits.recipients is not None:
        words.append(f"{limits.recipients} recipient{'s' * (limits.recipients != 1)}")
    if limits.size is not None:
        words.append(size(limits.size))
    return words + [f"{name} {most} characters" for name, most in limits.lengths.items()]


def size(number: int) -> str:
    """Bytes as vendors write them: ``4096 bytes``, ``40 MB``; MB is a million, MiB is 2^20."""
    for unit, factor in (("MiB", 2**20), ("MB", 10**6), ("KiB", 2**10), ("KB", 10**3)):
        if number >= 10 * 2**10 and number % factor == 0:
            return f"{number // factor} {unit}"
    return f"{number} bytes"


def span(window: timedelta) -> str:
    """A length of time in its largest whole unit: ``24 h``, ``30 d``, ``90 min``."""
    seconds = int(window.total_seconds())
    for unit, length, least in (("d", 86_400, 2), ("h", 3600, 1), ("min", 60, 1)):
        if seconds % length == 0 and seconds // length >= least:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
