"""A request as the vendor's server got it, and a small language for the places in it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from ...providers import Headers

STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class Missing:
    """What stands at a place that is not there."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the raw bytes and what they say."""

    method: str
    target: str
    headers: Headers
    body: bytes

    @property
    def path(self) -> str:
        """The path of the URL, decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def form(self) -> dict[str, Any]:
        """The body as a form; a repeated name has a list."""
        return _fields(self.body.decode("utf-8", "replace"))

    @property
    def query(self) -> dict[str, Any]:
        """The query of the URL; a repeated name has a list."""
        return _fields(urlsplit(self.target).query)

    def at(self, place: str) -> object:
        """What stands at ``place``, such as ``json:reply_to[0]``; MISSING where there is nothing."""
        kind, _, path = place.partition(":")
        match kind:
            case "json":
                return walk(self.json, path)
            case "form":
                return self.form.get(path, MISSING)
            case "query":
                return self.query.get(path, MISSING)
            case "header":
                return self.headers.get(path, MISSING)
            case "path":
                return self.path
            case "body":
                return self.body.decode("utf-8", "replace")
            case _:
                raise ValueError(f"{place!r} is no place. Begin with json:, form:, query:, header:, path or body.")

    def __str__(self) -> str:
        return f"{self.method} {self.target}\n{self.body[:2000].decode('utf-8', 'replace')}"


def walk(value: Any, path: str) -> object:
    """Follow ``path`` (``a.b[0].c``) into JSON."""
    for index, name in STEP.findall(path):
        if index and isinstance(value, list) and int(index) < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[int(index)]
        elif name and isinstance(value, dict) and name in value:
            value = cast("dict[str, Any]", value)[name]
        else:
            return MISSING
    return value


def expresses(found: object, wanted: object) -> bool:  # noqa: PLR0911 - one for each kind of value
    """Whether ``found`` says all of ``wanted``: as it is, or within a longer text or a list."""
    if type(found) is type(wanted) and found == wanted:
        return True
    if isinstance(wanted, bytes):
        return isinstance(found, str) and base64.b64encode(wanted).decode() in found
    if isinstance(wanted, Mapping):
        if isinstance(found, str):
            found = _json(found)
        pairs = cast("Mapping[str, object]", wanted).items()
        return isinstance(found, dict) and all(
            expresses(cast("dict[str, object]", found).get(name, MISSING), value) for name, value in pairs
        )
    if isinstance(wanted, list | tuple):
        return all(expresses(found, item) for item in cast("list[object]", wanted))
    if isinstance(found, list):
        return any(expresses(item, wanted) for item in cast("list[object]", found))
    if isinstance(found, str) and wanted is not None:
        return str(wanted) in found if isinstance(wanted, str) else found == str(wanted)
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _fields(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in found:
            found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        else:
            found[name] = value
    return found
