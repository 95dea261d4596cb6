"""The parameters of a query: none unknown, none twice, numbers as the SDKs send them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import httpx
import pytest
from litestar import get
from litestar.params import FromQuery, QueryParameter

from novukit.bridge import asgi as asgi_module
from novukit.bridge import create_asgi
from novukit.bridge.wire import Limit

from .bad_input import shape
from .conftest import client

pytestmark = pytest.mark.anyio


@get("/v1/things")
async def things(
    limit: Limit = 10,
    page: FromQuery[int | None] = None,
    tags: FromQuery[list[str] | None] = None,
    order: Annotated[Literal["ASC", "DESC"], QueryParameter(name="orderDirection")] = "DESC",
    archived: FromQuery[bool | None] = None,
) -> dict[str, Any]:
    """Give back what was understood."""
    return {"limit": limit, "page": page, "tags": tags, "order": order, "archived": archived}


@pytest.fixture
async def listing(runtime: Any, secret: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The bridge with one more list."""
    monkeypatch.setattr(asgi_module, "HANDLERS", [things])
    async with client(create_asgi(runtime), f"ApiKey {secret}") as found:
        yield found


UNDERSTOOD: dict[str, dict[str, Any]] = {
    "": {"limit": 10, "page": None, "tags": None, "order": "DESC", "archived": None},
    "limit=20.0&page=2.0": {"limit": 20, "page": 2},
    "limit=100": {"limit": 100},
    "tags=a&tags=b": {"tags": ["a", "b"]},
    "tags=a": {"tags": ["a"]},
    "tags=20.0": {"tags": ["20.0"]},
    "orderDirection=ASC&archived=true": {"order": "ASC", "archived": True},
    "tags=%C3%A5%26b": {"tags": ["å&b"]},
}

REFUSED: dict[str, tuple[str, str, str]] = {
    "limit=abc": ("/limit", "wrong_type", "whole number"),
    "limit=-1": ("/limit", "out_of_range", "at least 1"),
    "limit=0": ("/limit", "out_of_range", "at least 1"),
    "limit=1e3": ("/limit", "wrong_type", "whole number"),
    "limit=10001": ("/limit", "out_of_range", "at most 100"),
    "limit=2.5": ("/limit", "wrong_type", "whole number"),
    "limit=": ("/limit", "wrong_type", "whole number"),
    "limit=99999999999999999999999999": ("/limit", "wrong_type", "whole number"),
    "limit=1&limit=2": ("/limit", "repeated_parameter", "twice"),
    "limt=5": ("/limt", "unknown_parameter", "Did you mean 'limit'?"),
    "order=ASC": ("/order", "unknown_parameter", "Known: archived, limit, orderDirection, page, tags."),
    "orderDirection=asc": ("/orderDirection", "not_allowed", "ASC, DESC"),
    "archived=maybe": ("/archived", "wrong_type", "true or false"),
    "tags=a%00b": ("/tags", "nul_character", "NUL"),
    "tags=%ff": ("", "bad_format", "UTF-8"),
}


@pytest.mark.parametrize("query", UNDERSTOOD)
async def test_a_query_is_understood(query: str, listing: httpx.AsyncClient) -> None:
    """Numbers may be floats that are whole; lists repeat their name."""
    answer = await listing.get(f"/v1/things?{query}")

    assert 200 == answer.status_code, answer.text
    assert answer.json() == answer.json() | UNDERSTOOD[query]


@pytest.mark.parametrize("query", REFUSED)
async def test_a_query_is_refused(query: str, listing: httpx.AsyncClient) -> None:
    """Nothing is guessed, nothing is dropped."""
    path, code, word = REFUSED[query]
    answer = await listing.get(f"/v1/things?{query}")

    assert 422 == answer.status_code, answer.text
    shape(answer)
    body = answer.json()
    assert (path, code) == (body["details"][0]["path"], body["details"][0]["code"])
    assert word in f"{body['message']} {body.get('hint')}"


async def test_all_that_is_wrong_is_told_at_once(listing: httpx.AsyncClient) -> None:
    """One attempt is enough to see it all."""
    body = (await listing.get("/v1/things?limt=1&page=x&page=2")).json()

    assert ["/limt", "/page", "/page"] == [detail["path"] for detail in body["details"]]
