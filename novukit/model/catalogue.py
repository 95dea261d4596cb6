"""The catalogue of an environment: its layouts, translations and variables, as its messages use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints

from ..errors import NotFound, did_you_mean
from .base import Model
from .translation import Resource, Words, locales_for

DEFAULT_LOCALE = "en_US"

VariableKey = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""How a variable is called: letters, digits and ``_``, at most 128."""


class Layout(Model):
    """What goes around the HTML of an e-mail: a template in which ``{{ content }}`` stands for the message."""

    id: UUID
    layout_id: str
    name: str
    body: str
    is_default: bool
    created_at: datetime
    updated_at: datetime


class Variable(Model):
    """A value that differs from environment to environment. ``value`` is None until there is one."""

    id: UUID
    key: str
    is_secret: bool
    value: str | None
    created_at: datetime
    updated_at: datetime


class Variables(dict[str, str]):
    """The variables of an environment that have a value, by key."""

    def __missing__(self, key: str) -> str:
        raise NotFound(
            f"This environment has no variable {key!r}.",
            hint=did_you_mean(key, self) or f"Set it: novukit variables set {key} VALUE",
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it at one moment. ``shown`` are the variables that templates may print: all but the secret ones."""

    layouts: Mapping[str, Layout] = field(default_factory=dict[str, Layout])
    translations: Mapping[Resource, Mapping[str, dict[str, Any]]] = field(
        default_factory=dict[Resource, Mapping[str, dict[str, Any]]]
    )
    variables: Variables = field(default_factory=Variables)
    shown: Mapping[str, str] = field(default_factory=dict[str, str])
    default_layout: Layout | None = None
    default_locale: str = DEFAULT_LOCALE

    def words(self, resource: Resource, locale: str | None, values: Mapping[str, Any]) -> Words:
        """The texts of ``resource`` for somebody with this locale; ``values`` are there for the places in them."""
        known = self.translations.get(resource)
        if not known:
            return Words((), values)
        return Words([known[name] for name in locales_for(locale, known, self.default_locale)], values)
