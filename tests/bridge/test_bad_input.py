"""Bad bodies, headers, paths and keys: each is answered in plain words, and changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from .bad_input import Row, check
from .conftest import Checksum
from .whole import Whole, whole

pytestmark = pytest.mark.anyio

JSON = "application/json"
LIST = "/v1/integrations"


def nested(depth: int) -> bytes:
    """Lists within lists."""
    return b'{"credentials":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


BODIES = [
    Row(
        "H1 cut off", 400, "malformed_body", ("ends before", "line 1, column"), body=b'{"name":',
        details=("malformed_json",),
    ),
    Row("H1 text cut off", 400, "malformed_body", ("ends before",), body=b'{"name": "abc', details=("malformed_json",)),
    Row(
        "H2 empty", 400, "malformed_body", ("is empty", "object"), body=b"", details=("empty_body",),
        headers={"Content-Type": JSON},
    ),
    Row("H2 blank", 400, "malformed_body", ("is empty",), body=b" \n ", details=("empty_body",)),
    Row(
        "H3 null", 422, "invalid_input", ("expected an object, got null",), body=b"null", details=("wrong_type",),
        pointers=("",),
    ),
    Row("H3 list", 422, "invalid_input", ("expected an object, got a list",), body=b"[]", pointers=("",)),
    Row("H3 text", 422, "invalid_input", ("expected an object, got text",), body=b'"x"', pointers=("",)),
    Row("H3 number", 422, "invalid_input", ("expected an object, got 5",), body=b"5", pointers=("",)),
    Row(
        "H4", 400, "malformed_body", ("'name'", "twice"), body=b'{"name":"a","name":"b"}', details=("duplicate_key",),
        pointers=("/name",),
    ),
    Row("H4 deep", 400, "malformed_body", ("twice",), body=b'{"a":[{"b/c":1,"b/c":2}]}', pointers=("/a/0/b~1c",)),
    Row("H5 NaN", 400, "malformed_body", ("finite", "NaN"), body=b'{"name":NaN}', details=("not_finite",)),
    Row("H5 Infinity", 400, "malformed_body", ("finite",), body=b'{"name":-Infinity}', details=("not_finite",)),
    Row("H5 1e999", 400, "malformed_body", ("finite", "1e999"), body=b'{"name":1e999}', details=("not_finite",)),
    Row(
        "H6", 400, "malformed_body", ("5,000 digits", "1,000"), body=b'{"name":' + b"9" * 5000 + b"}",
        details=("number_too_large",),
    ),
    Row(
        "H7", 422, "invalid_input", ("must be from -9223372036854775808",),
        body=b'{"credentials":{"port":' + b"9" * 400 + b"}}", details=("out_of_range",),
        pointers=("/credentials/port",),
    ),
    Row(
        "H8", 422, "invalid_input", ("expected true or false, got text",),
        json={"providerId": "smtp", "active": "true"}, details=("wrong_type",), pointers=("/active",),
    ),
    Row("H9", 422, "invalid_input", ("expected text, got true",), json={"providerId": True}, details=("wrong_type",)),
    Row("H10", 422, "invalid_input", ("expected text, got 1.5",), json={"providerId": 1.5}),
    Row(
        "H11", 422, "invalid_input", ("is not a known field", "did you mean 'providerid'"),
        json={"providerID": "smtp"}, details=("unknown_field", "required"), pointers=("/providerID", "/providerId"),
    ),
    Row(
        "H11 snake case", 422, "invalid_input", ("did you mean 'providerId'",), json={"provider_id": "smtp"},
        details=("unknown_field",),
    ),
    Row("H12", 400, "malformed_body", ("not UTF-8", "byte 9"), body=b'{"name":"\xff\xfe"}', details=("invalid_utf8",)),
    Row(
        "H13", 400, "malformed_body", ("surrogate", "/name"), body=rb'{"name":"\ud800"}',
        details=("unpaired_surrogate",),
    ),
    Row("H13 in a key", 400, "malformed_body", ("surrogate",), body=rb'{"\udc00":1}', details=("unpaired_surrogate",)),
    Row(
        "H14", 422, "invalid_input", ("NUL character",), body=rb'{"name":"a\u0000b"}', details=("nul_character",),
        pointers=("/name",),
    ),
    Row(
        "H14 in a key", 422, "invalid_input", ("NUL character",), body=rb'{"credentials":{"a\u0000":1}}',
        details=("nul_character",),
    ),
    Row(
        "H14 raw", 400, "malformed_body", ("control character",), body=b'{"name":"a\x00b"}',
        details=("malformed_json",),
    ),
    Row("H15 UTF-16", 400, "malformed_body", ("UTF-8 without BOM",), body='{"name":"a"}'.encode("utf-16")),
    Row(
        "H15 UTF-16 without BOM", 400, "malformed_body", ("UTF-8 without BOM",),
        body='{"name":"a"}'.encode("utf-16-le"),
    ),
    Row("H15 BOM", 400, "malformed_body", ("BOM",), body=b'\xef\xbb\xbf{"name":"a"}', details=("byte_order_mark",)),
    Row("H16 33", 400, "malformed_body", ("32 levels",), body=nested(33), details=("too_deep",)),
    Row("H16 500", 400, "malformed_body", ("32 levels",), body=nested(500), details=("too_deep",)),
    Row("H16 100,000", 400, "malformed_body", ("32 levels",), body=nested(100_000), details=("too_deep",)),
    Row("H16 unclosed", 400, "malformed_body", ("32 levels",), body=b"[" * 900_000, details=("too_deep",)),
    Row(
        "H17", 422, "invalid_input", ("10,000 keys",),
        body=b"{" + b",".join(b'"%d":1' % n for n in range(20_000)) + b"}", details=("too_many_keys",),
    ),
    Row(
        "H18 trailing", 400, "malformed_body", ("after the end", "column 13"), body=b'{"name":"a"}}',
        details=("malformed_json",),
    ),
    Row("H18 comment", 400, "malformed_body", ("no comments",), body=b'{"name":"a"/* b */}'),
    Row("H18 quotes", 400, "malformed_body", ("double quotes",), body=b"{'name':'a'}"),
    Row("H18 comma", 400, "malformed_body", ("comma",), body=b'{"name":"a",}'),
    Row(
        "H19", 415, "malformed_body", ("application/json", "text/plain"), body=b"{}",
        headers={"Content-Type": "text/plain"},
    ),
    Row(
        "H20", 415, "malformed_body", ("no content-type", "application/json"), body=b"{}",
        headers={"Content-Type": None},
    ),
    Row(
        "H21 form", 415, "malformed_body", ("application/json",), body=b"a=b",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Row(
        "H21 multipart", 415, "malformed_body", ("application/json",), body=b"--x",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    ),
    Row(
        "H21 msgpack", 415, "malformed_body", ("application/json",), body=b"\x80",
        headers={"Content-Type": "application/x-msgpack"},
    ),
    Row(
        "H21 problem", 415, "malformed_body", ("application/json",), body=b"{}",
        headers={"Content-Type": "application/vnd.api+json"},
    ),
    Row(
        "H22 latin-1", 415, "malformed_body", ("UTF-8", "latin-1"), body=b"{}",
        headers={"Content-Type": "application/json; charset=latin-1"},
    ),
    Row(
        "H22 foo", 415, "malformed_body", ("UTF-8",), body=b"{}",
        headers={"Content-Type": "application/json; charset=foo"},
    ),
    Row(
        "H23", 415, "malformed_body", ("gzip", "not supported"), body=b"\x1f\x8b",
        headers={"Content-Encoding": "gzip"},
    ),
    Row("H25", 413, "too_large", ("1,000,000 bytes", "1,000,001 were announced"), body=b" " * 1_000_001),
]  # fmt: skip

REQUESTS = [
    Row("H27 NUL", 404, "not_found", path="/v1/integrations/%00", method="PUT", body=b"{}"),
    Row("H27 not UTF-8", 404, "not_found", path="/v1/integrations/%ff", method="DELETE"),
    Row("H27 dots", 404, "not_found", path="/v1/integrations/..%2f..%2fetc", method="DELETE"),
    Row("H27 long", 404, "not_found", path=f"/v1/integrations/{'a' * 9000}", method="DELETE"),
    Row(
        "H28", 404, "not_found", ("integration", "'99999999999999999999999999'"),
        path="/v1/integrations/99999999999999999999999999", method="DELETE",
    ),
    Row(
        "H28 id", 404, "not_found", ("integration",), path="/v1/integrations/01890000-0000-7000-8000-000000000000",
        method="DELETE",
    ),
    Row(
        "H31", 422, "invalid_input", ("is not a known parameter",), path="/v1/integrations?limt=5", method="GET",
        details=("unknown_parameter",), pointers=("/limt",),
    ),
    Row(
        "H33", 405, "method_not_allowed", ("GET, POST",), path="/v1/integrations", method="PATCH",
        answers={"Allow": "GET, POST"},
    ),
    Row(
        "H33 with a parameter", 405, "method_not_allowed", ("PUT, DELETE",), path="/v1/integrations/x", method="GET",
        answers={"Allow": "PUT, DELETE"},
    ),
    Row("H34", 404, "not_found", ("/v1/integrations",), path="/v1/integratons", method="GET"),
    Row("H34 far", 404, "not_found", ("no route",), path="/etc/passwd", method="GET"),
    Row("H37 TRACE", 405, "method_not_allowed", method="TRACE"),
    Row("H38", 422, "invalid_input", json={}, headers={"Accept": "text/html"}, pointers=("/providerId",)),
    Row(
        "H39", 405, "method_not_allowed", path="/v1/integrations/x", method="POST", json={},
        headers={"X-HTTP-Method-Override": "DELETE"},
    ),
    Row("H42", 422, "invalid_input", json={}, headers={"X-Request-Id": "x" * 10_000}, never=("xxxx",)),
    Row(
        "several at once", 422, "invalid_input", ("and 3 more",),
        json={"providerId": 5, "active": "yes", "nmae": "x", "credentials": []},
        pointers=("/providerId", "/active", "/nmae", "/credentials"),
    ),
    Row(
        "pointer into a list", 422, "invalid_input", ("did you mean 'operator'",),
        json={
            "providerId": "smtp",
            "conditions": [
                {"value": "AND", "children": [{"field": "a", "value": "b", "operater": "=", "on": "payload"}]}
            ],
        },
        pointers=("/conditions/0/children/0/operater",),
    ),
    Row(
        "closed list", 422, "invalid_input", ("did you mean 'push'",), json={"providerId": "smtp", "channel": "pusch"},
        details=("not_allowed",), pointers=("/channel",),
    ),
    Row(
        "secret is not shown", 422, "invalid_input", json={"providerId": "smtp", "credentials": "hunter2-hunter2"},
        never=("hunter2",),
    ),
]  # fmt: skip

KEYS = [
    Row(
        "A1", 401, "unauthorized", ("no secret key", "Authorization: ApiKey"), method="GET",
        headers={"Authorization": None}, answers={"WWW-Authenticate": "ApiKey"},
    ),
    Row("A2", 401, "unauthorized", ("is empty",), method="GET", headers={"Authorization": "ApiKey"}),
    Row(
        "A3", 401, "unauthorized", ("use ApiKey, not Bearer",), method="GET",
        headers={"Authorization": "Bearer nk_abc"}, never=("nk_abc",),
    ),
    Row(
        "A3 bare", 401, "unauthorized", ("without its scheme",), method="GET", headers={"Authorization": "nk_abc"},
        never=("nk_abc",),
    ),
    Row(
        "A4", 401, "unauthorized", ("not valid",), method="GET", headers={"Authorization": "ApiKey nk_" + "a" * 40},
        never=("aaaa",),
    ),
    Row(
        "A5 quotes", 401, "unauthorized", ("characters around it",), method="GET",
        headers={"Authorization": 'ApiKey "nk_abc"'},
    ),
    Row(
        "A5 line end", 401, "unauthorized", ("characters around it",), method="GET",
        headers={"Authorization": r"ApiKey nk_abc\n"},
    ),
    Row(
        "A9", 401, "unauthorized", ("never put keys",), path="/v1/integrations?apiKey=nk_abc", method="GET",
        never=("nk_abc",),
    ),
    Row("A9 any name", 401, "unauthorized", ("never put keys",), path="/v1/integrations?x=nk_abc", method="GET"),
    Row(
        "A11", 401, "unauthorized", ("not valid",), method="GET", headers={"Authorization": "ApiKey " + "a" * 10_000},
        never=("aaaa",),
    ),
    Row("A1 before the body is read", 401, "unauthorized", body=b"[[[[", headers={"Authorization": None}),
]  # fmt: skip

BOTH = [one for one in BODIES if one.id in {"H6", "H7", "H14", "H14 in a key", "H17"}]
ROWS = [*BODIES, *REQUESTS, *KEYS]


@pytest.fixture(scope="module")
async def novukit(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """A whole novukit for all rows."""
    async with whole(tmp_path_factory.mktemp("whole")) as built:
        await built.api.get("/v1/environments/me")
        yield built


@pytest.fixture
async def warm(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """The API, called once."""
    await api.get("/v1/environments/me")
    return api


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_bad_input_is_refused_in_plain_words(row: Row, novukit: Whole) -> None:
    """Status, code and words are as the table says, and the database is as before."""
    await check(row, novukit.api, novukit.checksum)


@pytest.mark.parametrize("row", BOTH, ids=lambda row: row.id)
async def test_so_it_is_on_each_engine(row: Row, warm: httpx.AsyncClient, checksum: Checksum) -> None:
    """A few of them, where a database might have something to say."""
    await check(row, warm, checksum)


async def test_a_public_identifier_is_no_key(novukit: Whole) -> None:
    """A6: and the answer says which of the two is needed."""
    answer = await novukit.api.get(LIST, headers={"Authorization": f"ApiKey {novukit.public_id}"})

    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])
    assert "public identifier" in answer.json()["message"]
    assert "nk_" in answer.json()["hint"]


async def test_a_key_of_another_environment_finds_nothing(novukit: Whole) -> None:
    """A7: 404, as if it were not there."""
    for path in ("/v2/subscribers/ada", "/v2/topics/news", "/v2/workflows/welcome"):
        assert 200 == (await novukit.api.get(path)).status_code
        assert 404 == (await novukit.other.get(path)).status_code


async def test_the_other_methods_do_no_harm(novukit: Whole) -> None:
    """H37: HEAD is not offered, OPTIONS says what is."""
    assert (405, "GET, POST") == ((answer := await novukit.api.head(LIST)).status_code, answer.headers["allow"])
    assert 204 == (await novukit.api.options(LIST)).status_code


async def test_a_connection_that_ends_in_the_body_is_no_error_of_ours(novukit: Whole) -> None:
    """H40: no 500, no traceback in the log, nothing stored."""
    before = await novukit.checksum()
    sent: list[Any] = []
    head = {"authorization": novukit.api.headers["authorization"], "content-type": JSON, "content-length": "100"}
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": LIST, "raw_path": LIST.encode(), "query_string": b"", "root_path": "", "client": None,
        "server": ("novukit.test", 80), "headers": [(name.encode(), value.encode()) for name, value in head.items()],
    }  # fmt: skip
    messages = iter([{"type": "http.request", "body": b'{"na', "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await novukit.app.asgi()(scope, receive, send)
    assert 500 not in [message.get("status") for message in sent]
    assert before == await novukit.checksum()


async def test_a_body_without_an_announced_length_is_cut_off_at_the_limit(
    warm: httpx.AsyncClient, checksum: Checksum
) -> None:
    """A chunked body is not read further than its limit."""
    before, sent = await checksum(), 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 100_000
            yield b" " * 100_000

    answer = await warm.post(LIST, content=chunks(), headers={"Content-Type": JSON})

    assert 413 == answer.status_code
    assert "too_large" == answer.json()["code"]
    assert before == await checksum()


async def test_two_authorization_headers_are_refused(anonymous: httpx.AsyncClient, secret: str) -> None:
    """Which of them counts would be a guess."""
    sent = [("Authorization", f"ApiKey {secret}"), ("Authorization", "ApiKey nk_other")]
    answer = await anonymous.get(LIST, headers=sent)

    assert (400, "repeated_header") == (answer.status_code, answer.json()["details"][0]["code"])
    assert "twice" in answer.json()["message"]


async def test_a_body_is_not_asked_for_where_none_is_needed(warm: httpx.AsyncClient) -> None:
    """GET and DELETE may say that they send JSON and send nothing."""
    assert 200 == (await warm.get(LIST, headers={"Content-Type": JSON})).status_code


async def test_utf_8_may_be_said(warm: httpx.AsyncClient) -> None:
    """A charset of utf-8 is fine, in any case of letters."""
    answer = await warm.post(
        "/v1/keys", content=b'{"name":"x"}', headers={"Content-Type": "application/json; charset=UTF-8"}
    )

    assert 201 == answer.status_code, answer.text
