"""Figures of a row: medians with what they ranged over, the bar that the row is held to, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

Verdict = Literal["aim", "met", "missed", "open"]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, with the lowest and the highest."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values), len(values))

    def text(self, unit: str = "") -> str:
        """``1 234 [1 100 to 1 300]``, or the median alone when there was one round."""
        if self.rounds == 1:
            return f"{number(self.median)}{unit}"
        return f"{number(self.median)}{unit} [{number(self.low)} to {number(self.high)}]"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a row must reach, and what it aims at."""

    must: float
    aim: float
    unit: str = "×"
    at_least: bool = True

    def verdict(self, value: float) -> Verdict:
        reached = (lambda bar: value >= bar) if self.at_least else (lambda bar: value <= bar)
        return "aim" if reached(self.aim) else "met" if reached(self.must) else "missed"

    def text(self, value: float) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {number(value)}{' ' * (len(self.unit) > 1)}{self.unit}"


@dataclass(slots=True)
class Row:
    """One row of the table."""

    number: str
    title: str
    bar: Bar
    novukit: str
    """What novukit did, in words with units."""
    against: str
    """What it is compared with, and what that did; a dash for a plain limit."""
    value: Spread | None
    """What the bar is held to: a ratio within a round, or a plain figure. ``None`` when the peer was left out."""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        return "open" if self.value is None else self.bar.verdict(self.value.median)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def count(value: float) -> str:
    """A whole number in groups of three that no line break parts: ``12 345``."""
    return f"{value:,.0f}".replace(",", "\u202f")


def number(value: float) -> str:
    """A figure with three digits that count: ``12 345``, ``1.23``, ``0.0123``."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return count(value)
    digits = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    return f"{value:.{digits}f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of ``values`` are at or below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
