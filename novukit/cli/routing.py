"""Routing on the command line: conditions as they are written, and in words."""

from __future__ import annotations

from typing import Any, cast

import click

_LISTS = ("tenant", "country", "workflow", "tags")


def read_when(pairs: tuple[str, ...]) -> dict[str, Any]:
    """``country=DE`` and ``payload.plan=gold`` as the API takes them. Raises a usage error that names the key.

    ``true``, ``false`` and numbers are meant as such in fields; a single empty pair (``--when ""``) takes all away.
    """
    when: dict[str, Any] = {}
    for pair in pairs:
        if not pair:
            continue
        key, equals, value = pair.partition("=")
        where, _, field = key.partition(".")
        if equals and key in _LISTS:
            when.setdefault(key, []).append(value)
        elif equals and field and where in ("subscriber", "payload"):
            when.setdefault(where, {}).setdefault(field, []).append(_value(value))
        else:
            known = ", ".join(_LISTS)
            raise click.UsageError(f"--when {pair}: write KEY=VALUE with {known}, subscriber.FIELD or payload.FIELD.")
    return when


def used(one: dict[str, Any]) -> str:
    """When, and how much, an integration of the API is used."""
    when = cast("dict[str, Any]", one.get("when") or {})
    said = [f"{key}: {_words(values)}" for key, values in when.items() if key in _LISTS]
    for where in ("subscriber", "payload"):
        fields = cast("dict[str, list[Any]]", when.get(where) or {})
        said += [f"{where}.{field}: {_words(values)}" for field, values in fields.items()]
    if one.get("conditions"):
        said.append("conditions")
    if one.get("weight"):
        said.append(f"weight {one['weight']}")
    if one.get("rate"):
        said.append(f"{one['rate']:g}/s")
    if resting := one.get("resting"):
        said.append(f"RESTING in {resting['workers']} of the workers: {resting['detail']}")
    return "; ".join(said)


def _words(values: list[Any]) -> str:
    return " or ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
