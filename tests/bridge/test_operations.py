"""The table of operations against novu-py, against the routes, and against the tests."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.exceptions import HTTPException

from novukit.bridge.operations import OPERATIONS, Operation, State, Tier

from ..clients import sdk

pytestmark = pytest.mark.anyio

LEFT_OUT = [one for one in OPERATIONS if one.state is State.NOT_HERE]


def path_to(one: Operation) -> str:
    """A path of the operation, with a name for every parameter."""
    return re.sub(r"\{actionType\}", "primary", re.sub(r"\{(?!actionType)\w+\}", "some", one.path))


def handler_of(asgi: Litestar, one: Operation) -> Any:
    """Our handler of the operation, or None."""
    try:
        return asgi.asgi_router.handle_routing(path=path_to(one), method=one.method)[1]
    except HTTPException:
        return None


def test_the_table_is_what_the_sdk_can_call() -> None:
    """The same 149 calls with the same methods, paths and statuses, each once."""
    table = {one.call: sdk.Call(one.call, one.method, one.path, one.statuses) for one in OPERATIONS}

    assert 149 == len(OPERATIONS) == len(table)
    assert sdk.calls() == table


def test_notes_are_sentences() -> None:
    """What works has none; what differs and what is not here say why."""
    assert [one.call for one in OPERATIONS if (one.state is State.WORKS) == bool(one.note)] == []
    assert [one.note for one in OPERATIONS if one.note and not one.note.endswith(".")] == []


def test_nothing_of_the_core_is_left_out() -> None:
    """Tiers C1 and C2 are here."""
    assert [one.call for one in LEFT_OUT if one.tier in (Tier.CORE, Tier.MORE)] == []


async def test_every_operation_that_is_here_has_a_route(asgi: Litestar) -> None:
    """And the route answers with a status that the SDK takes for success."""
    missing: list[str] = []
    for one in OPERATIONS:
        if one.state is State.NOT_HERE:
            continue
        handler = handler_of(asgi, one)
        if handler is None:
            missing.append(f"{one.call}: no route {one.method} {one.path}")
        elif handler.status_code not in one.statuses:
            missing.append(f"{one.call}: {handler.status_code} instead of {one.statuses}")
    assert not missing, "\n".join(missing)


async def test_what_is_here_is_not_said_to_be_left_out(asgi: Litestar) -> None:
    """No route of ours has a refusal beside it, which might stand in its way."""
    routes = [
        (re.sub(r"\{\w+\}", "{}", route.path_format), method)
        for route in asgi.routes
        for method in route.methods
        if method not in ("OPTIONS", "HEAD")
    ]
    assert [place for place, times in Counter(routes).items() if times > 1] == []


async def test_what_is_left_out_says_so(api: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    """A 404 with a code that does not change and the table's sentence, whatever is sent; after the key was seen."""
    for one in LEFT_OUT:
        url = f"{path_to(one)}?limit=10&anything=1"
        answer = await api.request(one.method, url, content=b"not even JSON" if one.method != "GET" else None)
        told = answer.json()
        assert (404, "not_supported", one.note) == (answer.status_code, told["code"], told["message"]), one.call
        assert {"statusCode", "timestamp", "path", "error"} <= told.keys(), one.call
        assert 401 == (await anonymous.request(one.method, url)).status_code, one.call


def test_the_official_client_calls_all_of_the_core() -> None:
    """Each operation of tiers C1 and C2 is called with novu-py by a test that looks at the result."""
    wanted = {one.call for one in OPERATIONS if one.tier in (Tier.CORE, Tier.MORE)}

    uncalled = sorted(wanted - sdk.called(Path(__file__).parents[1] / "clients"))
    assert not uncalled, "\n".join(uncalled)
