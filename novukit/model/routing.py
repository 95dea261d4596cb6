"""Routing: when an integration may carry a message, how large its share is, and how fast it may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import BeforeValidator, Field

from .base import Model
from .step import Channel

Scalar = str | int | float | bool

OPERATORS = (
    "EQUAL", "NOT_EQUAL", "LARGER", "SMALLER", "LARGER_EQUAL", "SMALLER_EQUAL", "BETWEEN", "NOT_BETWEEN", "LIKE",
    "NOT_LIKE", "IN", "ANY_IN", "ALL_IN", "NOT_IN",
)  # fmt: skip
"""The comparisons of Novu's conditions."""


def _several(value: Any) -> Any:
    """One value is a list of one."""
    return (value,) if isinstance(value, str | int | float) else value


def _upper(value: Any) -> Any:
    several = _several(value)
    if not isinstance(several, list | tuple):
        return several
    codes = cast("list[Any]", several)
    return tuple(code.upper() if isinstance(code, str) else code for code in codes)


Words = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=255)], ...],
    Field(strict=False, max_length=300),
    BeforeValidator(_several),
]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Countries = Annotated[tuple[Country, ...], Field(strict=False, max_length=300), BeforeValidator(_upper)]
Values = Annotated[tuple[Scalar, ...], Field(strict=False, min_length=1, max_length=300), BeforeValidator(_several)]
Fields = Annotated[dict[str, Values], Field(max_length=50)]


class When(Model):
    """What must be so for an integration to be used: every line must hold, and of a line's values one is enough.

    ``tenant`` are identifiers of tenants, ``country`` codes of two letters (ISO 3166-1), ``workflow`` ids, ``tags`` of
    the workflow; ``subscriber`` and ``payload`` name fields, with dots for what lies deeper (``data.plan``).
    """

    tenant: Words = ()
    country: Countries = ()
    workflow: Words = ()
    tags: Words = ()
    subscriber: Fields = Field(default_factory=dict[str, Values])
    payload: Fields = Field(default_factory=dict[str, Values])

    def holds(self, facts: Facts) -> bool:
        """Whether all of it is so. What a subscriber or a payload does not have is equal to nothing."""
        return (
            (not self.tenant or facts.tenant in self.tenant)
            and (not self.workflow or facts.workflow in self.workflow)
            and (not self.tags or not set(self.tags).isdisjoint(facts.tags))
            and all(_one_of(facts.subscriber, path, values) for path, values in self.subscriber.items())
            and all(_one_of(facts.payload, path, values) for path, values in self.payload.items())
            and (not self.country or facts.country in self.country)
        )

    def __bool__(self) -> bool:
        return self != _ALWAYS


class Routing(Model):
    """How an integration shares its channel with the others. ``rate`` is in messages a second, for all workers."""

    when: When = When()
    weight: int = Field(default=0, ge=0, le=1000)
    """Its share among those with a weight; 0: it takes none, and stands in when the others cannot."""
    rate: float | None = Field(default=None, gt=0, le=100_000)
    """None: what the provider declares."""
    on_unknown: Literal["stay", "next"] = "stay"
    """Whether a message of which nobody knows whether it went out may be handed to another integration."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What a message is routed by. ``payload`` and ``subscriber`` are JSON data; ``tenant`` is its identifier."""

    channel: Channel
    workflow: str
    tags: tuple[str, ...]
    step: str
    execution_id: UUID
    tenant: str | None
    subscriber: Mapping[str, Any]
    payload: Mapping[str, Any]
    locate: Callable[[], str | None]
    """Finds the country; asked when somebody wants to know."""

    @cached_property
    def country(self) -> str | None:
        """The country that the message goes to (``DE``): of the phone number, else of the locale; None if unknown."""
        return self.locate()


_ALWAYS = When()


def conditions_hold(conditions: list[dict[str, Any]], facts: Facts) -> bool:
    """Whether Novu's conditions let an integration be used: one group that holds is enough, and so is no group."""
    return not conditions or any(_group_holds(group, facts) for group in conditions)


def _group_holds(group: Mapping[str, Any], facts: Facts) -> bool:
    children = cast("list[dict[str, Any]]", group.get("children") or [])
    found = (_compares(child, facts) for child in children)
    held = all(found) if group.get("value") == "AND" else any(found)
    return held is not bool(group.get("isNegated"))


def _compares(child: Mapping[str, Any], facts: Facts) -> bool:
    """One comparison. The value is text on the wire: numbers are compared as such where both sides are numbers."""
    there = facts.payload if child.get("on") == "payload" else facts.subscriber
    has, wanted = _at(there, str(child.get("field", ""))), str(child.get("value", ""))
    operator = str(child.get("operator", ""))
    if operator.startswith("NOT_"):
        return not _is(operator.removeprefix("NOT_"), has, wanted)
    return _is(operator, has, wanted)


def _is(operator: str, has: Any, wanted: str) -> bool:  # noqa: PLR0911 - one for each operator
    if has is None:
        return False
    match operator:
        case "EQUAL":
            return _text(has) == wanted
        case "LIKE":
            return wanted in _text(has)
        case "LARGER" | "SMALLER" | "LARGER_EQUAL" | "SMALLER_EQUAL":
            order = _order(has, wanted)
            return (
                order in {"LARGER": (1,), "SMALLER": (-1,), "LARGER_EQUAL": (0, 1), "SMALLER_EQUAL": (0, -1)}[operator]
            )
        case "BETWEEN":
            low, _, high = wanted.partition(",")
            return _order(has, low.strip()) in (0, 1) and _order(has, high.strip()) in (0, -1)
        case "IN" | "ANY_IN" | "ALL_IN":
            listed = {part.strip() for part in wanted.split(",")}
            own = {_text(one) for one in cast("list[Any]", has)} if isinstance(has, list) else {_text(has)}
            return own <= listed if operator == "ALL_IN" else not own.isdisjoint(listed)
        case _:
            return False


def _order(has: Any, wanted: str) -> int:
    """-1, 0 or 1: how ``has`` compares."""
    left, right = _text(has), wanted
    try:
        a, b = float(left), float(right)
    except ValueError:
        return (left > right) - (left < right)
    return (a > b) - (a < b)


def _one_of(tree: Mapping[str, Any], path: str, values: tuple[Scalar, ...]) -> bool:
    """Whether the field at ``path`` is one of ``values``; of a list, whether one in it is."""
    has = _at(tree, path)
    several = cast("list[Any]", has) if isinstance(has, list) else [has]
    # True is equal to 1 in Python, and is not meant by it.
    return any((type(one) is bool) is (type(value) is bool) and one == value for one in several for value in values)


def _at(tree: Mapping[str, Any], path: str) -> Any:
    here: Any = tree
    for name in path.split("."):
        here = cast("Mapping[str, Any]", here).get(name) if isinstance(here, Mapping) else None
    return here


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
