"""novu-py: how our tests have it, what it can call, read from its own code, and what they call, read from theirs."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from novu_py import Novu
from novu_py.basesdk import BaseSDK
from novu_py.utils.retries import BackoffStrategy, RetryConfig

from .serving import Live

_REQUEST = re.compile(r'method="(\w+)",\s+path="([^"]+)"')
_SUCCESS = re.compile(r"match_response\(http_res, (\"\d+\"|\[[^\]]+\])")


def connect(live: Live) -> Novu:
    """Novu's Python client, as it comes but for the retries: a test must not wait an hour for a 409."""
    never = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), retry_connection_errors=False)
    return Novu(secret_key=live.secret_key, server_url=live.url, retry_config=never)


@dataclass(frozen=True)
class Call:
    """One method of the SDK and what it sends; ``statuses`` are what it takes for success."""

    call: str
    method: str
    path: str
    statuses: tuple[int, ...]


def calls() -> dict[str, Call]:
    """All methods of novu-py that send something, by name, without their twins for asyncio."""
    return {one.call: one for one in _of(Novu(secret_key="none"), "")}


def _of(part: BaseSDK, prefix: str) -> Iterator[Call]:
    for name, method in inspect.getmembers(type(part), inspect.isfunction):
        source = "" if name.startswith("_") or name.endswith("_async") else inspect.getsource(method)
        if sent := _REQUEST.search(source):
            success = _SUCCESS.search(source)
            assert success, name
            statuses = tuple(int(status) for status in re.findall(r"\d+", success[1]))
            yield Call(f"{prefix}{name}", sent[1], sent[2], statuses)
    lazy = {name: getattr(part, name) for name in getattr(type(part), "_sub_sdk_map", ())}
    eager = {name: value for name, value in vars(part).items() if name != "parent_ref"}
    for name, value in (lazy | eager).items():
        if isinstance(value, BaseSDK):
            yield from _of(value, f"{prefix}{name}.")


def called(folder: Path) -> set[str]:
    """What the tests in ``folder`` call as ``novu.noun.verb(…)``; the asyncio twin counts as the same call."""
    found: set[str] = set()
    for path in folder.glob("test_python_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (chain := _chain(node.func)) and chain[0] == "novu":
                found.add(".".join(chain[1:]).removesuffix("_async"))
    return found


def _chain(node: ast.expr) -> list[str]:
    """The names of ``a.b.c``, or nothing for any other expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (before := _chain(node.value)):
        return [*before, node.attr]
    return []
