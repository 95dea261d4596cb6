"""The query of an inbox request, with the brackets that Novu's client writes: ``tags[]``, ``tags[0][]``."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from .. import parameters

_GROUP = re.compile(r"tags\[(\d{1,3})\]\[\]")
_LISTS = ("tags", "severity")
_MOST = 1_000


async def check(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A Litestar guard: :func:`parameters.check` for a query whose lists may have brackets. Raises the same."""
    raw = connection.scope["query_string"]
    if b"[" in raw or b"%5B" in raw or b"%5b" in raw:
        groups: dict[int, list[str]] = {}
        pairs: list[tuple[str, str]] = []
        sent = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=_MOST)
        for name, value in sent:
            if (found := _GROUP.fullmatch(name)) and "tags" in parameters.declared(handler):
                groups.setdefault(int(found[1]), []).append(value.encode("latin-1").decode("utf-8", "replace"))
            else:
                pairs.append((name.removesuffix("[]") if name.removesuffix("[]") in _LISTS else name, value))
        connection.scope["query_string"] = urlencode(pairs, encoding="latin-1").encode()
        kept = cast("dict[str, Any]", connection.scope)
        kept["novukit_tags"] = [groups[number] for number in sorted(groups)]
        kept["novukit_lists"] = {name.removesuffix("[]") for name, _ in sent if name.endswith("[]")}
    await parameters.check(connection, handler)


def sent_as_list(connection: ASGIConnection[Any, Any, Any, Any], name: str) -> bool:
    """Whether a list came as one, ``name[]=a``; a single value may come as ``name=a``."""
    return name in cast("dict[str, Any]", connection.scope).get("novukit_lists", ())


def tag_groups(connection: ASGIConnection[Any, Any, Any, Any]) -> list[list[str]]:
    """The groups of ``tags[0][]=a&tags[1][]=b``, each an *or*, all together an *and*."""
    return cast("dict[str, Any]", connection.scope).get("novukit_tags", [])
