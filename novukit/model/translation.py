"""Translations: texts by key and locale, and ``Words``, which says them in one person's language."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, StringConstraints

from .base import Model
from .subscriber import normal_locale

ResourceType = Literal["workflow", "layout"]
Resource = tuple[ResourceType, str]
"""What texts belong to: a workflow or a layout, by its id."""


def locale_name(tag: str) -> str:
    """The locale of a language tag, as Novu writes it: ``en_US`` for ``en-us``, ``zh_Hant_TW``."""
    return normal_locale(tag).replace("-", "_")


LocaleName = Annotated[str, StringConstraints(max_length=35), AfterValidator(locale_name)]
"""A language, and what it is narrowed to: ``de``, ``en_US``, ``zh_Hant_TW``."""

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}|\{([A-Za-z_][\w.]*)\}")
_ABSENT = object()


class Translation(Model):
    """The texts of one resource in one locale: keys to texts, or to further keys."""

    resource_type: ResourceType
    resource_id: str
    locale: str
    content: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Words:
    """The texts of a resource in one person's language: ``words("greeting", name="Ada")``, ``words.menu.title``.

    A text is looked for in the person's locale, in another of the same language, and in the default one. Where there is
    none the key itself stands for it. ``{name}`` and ``{{ payload.name }}`` in a text are replaced by values, which are
    text as well; what has no value stays as it is. Nothing in a text is ever run.
    """

    __slots__ = ("_contents", "_under", "_values")

    def __init__(self, contents: Sequence[Mapping[str, Any]], values: Mapping[str, Any], under: str = "") -> None:
        self._contents, self._values, self._under = contents, values, under

    def __call__(self, key: str, /, **values: object) -> str:
        """The text under ``key``, with ``values`` in their places."""
        found = next((text for text in self._found(key) if isinstance(text, str)), None)
        return key if found is None else filled(found, {**self._values, **values})

    def __getitem__(self, name: str) -> str | Words:
        """The text under a part of a key; where more keys are below it, the words there."""
        key = f"{self._under}.{name}" if self._under else name
        found = next(self._found(key), None)
        return filled(found, self._values) if isinstance(found, str) else Words(self._contents, self._values, key)

    def __str__(self) -> str:
        return self._under

    def _found(self, key: str) -> Iterator[Any]:
        return (value for content in self._contents if (value := _at(content, key)) is not _ABSENT)


def locales_for(wanted: str | None, known: Collection[str], default: str) -> list[str]:
    """Those of the ``known`` locales in which somebody who wants ``wanted`` is spoken to, best first."""
    asked = [wanted, default] if wanted else [default]
    found: list[str] = []
    for locale in asked:
        plain = _plain(locale)
        language = plain.partition("_")[0]
        ranks = {name: _rank(_plain(name), plain, language) for name in known}
        found += sorted((name for name in known if ranks[name] < 3), key=lambda name: (ranks[name], name))
    return list(dict.fromkeys(found))


def filled(text: str, values: Mapping[str, Any]) -> str:
    """``text`` with the values of its places; a place without a value stays as it is."""

    def value(place: re.Match[str]) -> str:
        found = _walk(values, place[1] or place[2])
        return place[0] if found is _ABSENT or found is None else str(found)

    return _PLACE.sub(value, text) if "{" in text else text


def places(text: str) -> frozenset[str]:
    """The names of the places in a text."""
    return frozenset(first or second for first, second in _PLACE.findall(text))


def texts(content: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of ``content``, with dots between its parts, and what stands there."""
    for name, value in content.items():
        key = f"{under}.{name}" if under else name
        if isinstance(value, dict):
            yield from texts(cast("dict[str, Any]", value), key)
        else:
            yield key, value


def _rank(name: str, wanted: str, language: str) -> int:
    if name == wanted:
        return 0
    if name == language:
        return 1
    return 2 if name.partition("_")[0] == language else 3


def _plain(locale: str) -> str:
    return locale.replace("-", "_").casefold()


def _at(content: Mapping[str, Any], key: str) -> Any:
    """What stands under ``key``: a key with dots in its name, or a way through several."""
    if key in content:
        return content[key]
    here: Any = content
    for name in key.split("."):
        if not isinstance(here, Mapping) or name not in here:
            return _ABSENT
        here = cast("Mapping[str, Any]", here)[name]
    return here


def _walk(values: Mapping[str, Any], path: str) -> Any:
    here: Any = values
    for name in path.split("."):
        if isinstance(here, Mapping):
            here = cast("Mapping[str, Any]", here).get(name, _ABSENT)
        elif isinstance(here, BaseModel) and name in type(here).model_fields:
            here = getattr(here, name)
        else:
            return _ABSENT
    return here
