"""``Row``: one bad input and what must be answered to it. Each table of rows is run by ``test_bad_input``."""

from __future__ import annotations

import json as json_module
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

NEVER = (
    "Traceback", "pydantic", "msgspec", "litestar", "asyncpg", "sqlite3", "select ", "insert into", "novukit_",
    "Internal Server Error", ".py", "NoneType", "ValueError", "TypeError", "`int`", "`str`", "0x",
)  # fmt: skip
"""What no error may say: our insides."""

UNSET: Any = object()


@dataclass(frozen=True)
class Row:
    """One bad input. ``says`` must be in the answer, in any case of letters; ``details`` are codes of single issues."""

    id: str
    status: int
    code: str
    says: tuple[str, ...] = ()
    path: str = "/v1/integrations"
    method: str = "POST"
    json: Any = UNSET
    body: bytes | None = None
    headers: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    details: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict[str, str])
    """Headers that the answer must have."""


async def check(row: Row, client: httpx.AsyncClient, checksum: Callable[[], Awaitable[str]]) -> None:
    """Send the row, and hold the answer to it: status, code, words, shape, and that nothing was changed."""
    headers: dict[str, str] = {k: v for k, v in {"Content-Type": "application/json"}.items() if k not in row.headers}
    headers |= {name: value for name, value in row.headers.items() if value is not None}
    content = json_module.dumps(row.json).encode() if row.json is not UNSET else row.body
    if content is None and "Content-Type" not in row.headers:
        del headers["Content-Type"]
    request = client.build_request(row.method, row.path, content=content, headers=headers)
    if row.headers.get("Authorization", "") is None:
        del request.headers["Authorization"]
    before = await checksum()
    answer = await client.send(request)

    text = answer.text
    assert (row.status, row.code) == (answer.status_code, answer.json().get("code")), text
    shape(answer)
    body = answer.json()
    said = json_module.dumps(
        [body["message"], body.get("hint"), body.get("details"), body.get("errors")], ensure_ascii=False
    ).lower()
    for word in row.says:
        assert word.lower() in said, f"{word!r} is not in {said}"
    for word in (*NEVER, *row.never):
        assert word not in text, f"{word!r} is in {text}"
    codes = [detail["code"] for detail in body.get("details", [])]
    for code in row.details:
        assert code in codes, text
    pointers = [detail["path"] for detail in body.get("details", [])]
    for pointer in row.pointers:
        assert pointer in pointers, text
    for name, value in row.answers.items():
        assert value == answer.headers.get(name), answer.headers
    assert before == await checksum(), "a refused call has changed the database"


def shape(answer: httpx.Response) -> None:
    """Every error has Novu's keys, ours, and an id of our own making."""
    body = answer.json()
    assert "application/json" == answer.headers["content-type"]
    assert body.keys() >= {"statusCode", "timestamp", "path", "message", "error", "code", "requestId"}
    assert answer.status_code == body["statusCode"]
    assert answer.headers["x-request-id"] == body["requestId"]
    assert body["timestamp"].endswith("Z")
    if answer.status_code == 422:
        assert all("messages" in said for said in body["errors"].values())
