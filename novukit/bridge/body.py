"""The request body, read strictly: one JSON document in UTF-8, within limits, with nothing that a database cannot keep.

Python's JSON reader takes NaN, repeated keys and half surrogate pairs, and any depth until it breaks. Here each of
these is an error that says where.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from typing import Any, NoReturn, cast

from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from ..errors import InvalidInput, Issue, MalformedBody, TooLarge

SMALL_BODY = 1_000_000
"""Bytes that a body may have."""
LARGE_BODY = 20_000_000
"""Bytes that it may have on the events, workflows and sync routes: ``@post(…, request_max_body_size=LARGE_BODY)``."""

DEEPEST = 32
MOST_KEYS = 10_000
MOST_DIGITS = 1_000
_LARGEST_INT = 2**63
_MOST_ISSUES = 50

MEDIA_TYPE = "unsupported_media_type"
"""The issue code that makes a :class:`MalformedBody` a 415 rather than a 400."""


class StrictRequest(Request[Any, Any, Any]):
    """Litestar's request with :func:`parse` for its ``json()``, and our words for a body that is too large."""

    async def body(self) -> bytes:
        """The whole body. Raises :class:`TooLarge`, by Content-Length before anything is read."""
        try:
            return await super().body()
        except RequestEntityTooLarge:
            limit = self.route_handler.resolve_request_max_body_size()
            sent = f" {self.content_length:,} were announced." if self.content_length else ""
            raise TooLarge(
                f"The body is larger than {limit:,} bytes.{sent}", hint="Send less at a time, in several calls."
            ) from None
        except InternalServerException:
            raise MalformedBody("The connection ended before the body did.") from None

    async def json(self) -> Any:
        """The JSON document in the body. Raises :class:`MalformedBody`, :class:`InvalidInput`."""
        # Litestar asks twice when a dependency wants the body as well.
        kept = cast("dict[str, Any]", self.scope)
        if "novukit_json" in kept:
            return kept["novukit_json"]
        raw = await self.body()
        _check_headers(self)
        kept["novukit_json"] = parse(raw)
        return kept["novukit_json"]


def parse(raw: bytes) -> Any:
    """The one JSON document in ``raw``.

    Raises :class:`MalformedBody` for what is not JSON or beyond a limit, and :class:`InvalidInput` with JSON pointers
    for what is JSON but cannot be kept: NUL characters, integers beyond 64 bits, too many keys.
    """
    if not raw.strip():
        raise empty()
    reading = _Reading()
    try:
        value = json.loads(
            _decode(raw),
            object_pairs_hook=reading.collect,
            parse_constant=_refuse_constant,
            parse_int=reading.number,
            parse_float=_float,
        )
    except json.JSONDecodeError as err:
        _refuse_syntax(err)
    except RecursionError:
        raise _too_deep() from None
    nul, surrogates = b"u0000" in raw, re.search(rb"\\u[dD]", raw) is not None
    if nul or surrogates or reading.doubtful or not _is_shallow(value, 1):  # else there is nothing to say where
        issues: list[Issue] = []
        _Walk(issues, nul=nul, surrogates=surrogates).visit(value, "", 1)
        if issues:
            raise InvalidInput(_sentence(issues), issues=issues)
    return value


def empty() -> MalformedBody:
    """The error for a body that is needed and is not there."""
    return _malformed("empty_body", "The body is empty.", 'A JSON object is needed, such as {"name": "…"}.')


def pointer(parent: str, key: str | int) -> str:
    """The JSON pointer (RFC 6901) of ``key`` within ``parent``."""
    return f"{parent}/{str(key).replace('~', '~0').replace('/', '~1')}"


class _Repeated(dict[str, Any]):
    """An object in which a key came twice."""

    key: str = ""


class _Reading:
    """Makes objects and whole numbers while they are read, and counts the keys."""

    def __init__(self) -> None:
        self.count = 0
        self.doubtful = False
        """Whether there is an object or a number that cannot be kept."""

    def collect(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.count += len(pairs)
        if self.count > MOST_KEYS:
            wrong = f"The body holds more than {MOST_KEYS:,} keys."
            raise InvalidInput(wrong, issues=[Issue("", "too_many_keys", wrong)])
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        self.doubtful = True
        twice = _Repeated(value)
        twice.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        return twice

    def number(self, digits: str) -> int:
        if len(digits) > MOST_DIGITS:
            raise _malformed("number_too_large", f"A number has {len(digits):,} digits; {MOST_DIGITS:,} is the limit.")
        value = int(digits)
        if not _fits(value):
            self.doubtful = True
        return value


def _fits(value: int) -> bool:
    return -_LARGEST_INT <= value < _LARGEST_INT


def _is_shallow(value: Any, depth: int) -> bool:
    """Whether nothing is nested too deeply."""
    kind = value.__class__
    if kind is dict:
        value = cast("dict[str, Any]", value).values()
    elif kind is not list:
        return True
    if depth > DEEPEST:
        return False
    return all(_is_shallow(part, depth + 1) for part in value if part.__class__ in _CONTAINERS)


_CONTAINERS = dict, list


class _Walk:
    """Looks at every value once, and says where what cannot be kept is. Two dear checks are made only where the raw
    text gives reason to.
    """

    def __init__(self, issues: list[Issue], *, nul: bool, surrogates: bool) -> None:
        self._issues, self._nul, self._surrogates = issues, nul, surrogates

    def visit(self, value: Any, path: str, depth: int) -> None:
        match value:
            case str():
                self._text(value, path)
            case bool():
                pass
            case int():
                if not _fits(value):
                    self._add(path, "out_of_range", f"must be from {-_LARGEST_INT} to {_LARGEST_INT - 1}")
            case dict():
                self._object(cast("dict[str, Any]", value), path, depth)
            case list():
                if depth > DEEPEST:
                    raise _too_deep()
                for number, item in enumerate(cast("list[Any]", value)):
                    if item.__class__ is not float:
                        self.visit(item, f"{path}/{number}", depth + 1)
            case _:
                pass

    def _object(self, value: dict[str, Any], path: str, depth: int) -> None:
        if depth > DEEPEST:
            raise _too_deep()
        if isinstance(value, _Repeated):
            at = pointer(path, shown(value.key))
            raise _malformed("duplicate_key", f"The key {shown(value.key)!r} comes twice ({at}).", path=at)
        for key, item in value.items():
            at = pointer(path, key)
            self._text(key, at)
            self.visit(item, at, depth + 1)

    def _text(self, text: str, path: str) -> None:
        if self._nul and "\x00" in text:
            self._add(shown(path, 200), "nul_character", "holds the NUL character, which is not allowed")
        if self._surrogates and any("\ud800" <= c <= "\udfff" for c in text):
            at = shown(path, 200)
            raise _malformed(
                "unpaired_surrogate", f"The text at {at or 'the top'} holds half a surrogate pair.", path=at
            )

    def _add(self, path: str, code: str, message: str) -> None:
        if len(self._issues) < _MOST_ISSUES:
            self._issues.append(Issue(path, code, message))


def _check_headers(request: StrictRequest) -> None:
    if (encoding := request.headers.get("content-encoding", "identity").strip().lower()) not in {"identity", ""}:
        raise _refused_type(f"Content-Encoding {shown(encoding)!r} is not supported.", "Send the body as it is.")
    kind, options = request.content_type
    if kind != "application/json":
        sent = f"Content-Type {shown(kind)!r} is not supported." if kind else "There is no Content-Type."
        raise _refused_type(sent, "Send JSON with Content-Type: application/json.")
    if (charset := options.get("charset", "utf-8").lower()) not in {"utf-8", "utf8"}:
        raise _refused_type(f"The charset {shown(charset)!r} is not supported.", "Send the body in UTF-8.")


def _decode(raw: bytes) -> str:
    for mark, name in ((codecs.BOM_UTF8, "UTF-8"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16")):
        if raw.startswith(mark):
            raise _malformed(
                "byte_order_mark", f"The body begins with a {name} byte order mark (BOM).", "Send UTF-8 without BOM."
            )
    if b"\x00" in raw[:4]:
        raise _malformed("invalid_utf8", "The body looks like UTF-16 or UTF-32.", "Send UTF-8 without BOM.")
    try:
        return raw.decode()
    except UnicodeDecodeError as err:
        raise _malformed(
            "invalid_utf8", f"The body is not UTF-8: byte {err.start} does not fit.", "Send UTF-8 without BOM."
        ) from None


def _float(text: str) -> float:
    if (value := float(text)) in (float("inf"), float("-inf")):
        raise _malformed("not_finite", f"The number {shown(text)} is too large.", "Numbers must be finite.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise _malformed("not_finite", f"{name} is not a JSON value.", "Numbers must be finite.")


def _refuse_syntax(err: json.JSONDecodeError) -> NoReturn:
    where = f"line {err.lineno}, column {err.colno}"
    rest = err.doc[err.pos :].lstrip()
    before = err.doc[: err.pos].rstrip()
    if err.msg == "Extra data":
        wrong, hint = f"More follows after the end of the JSON document, at {where}", "Send one JSON document."
    elif not rest or err.msg.startswith("Unterminated string"):
        wrong, hint = f"The body ends before its JSON is complete, at {where}", "Was it cut off?"
    elif err.msg.startswith("Invalid control character"):
        wrong, hint = f"A text holds a control character, at {where}", r"Write it as an escape, such as \n."
    elif rest[0] in "'‘“":
        wrong, hint = f"The body is not JSON at {where}", 'JSON texts take double quotes: "…".'
    elif rest[0] in "/#":
        wrong, hint = f"The body is not JSON at {where}", "JSON has no comments."
    elif rest[0] in "}]" and before.endswith(","):
        wrong, hint = f"There is a comma too many before {rest[0]!r}, at {where}", "Remove it."
    else:
        wrong, hint = f"The body is not JSON at {where}", None
    raise _malformed("malformed_json", f"{wrong}.", hint) from None


def _malformed(code: str, message: str, hint: str | None = None, *, path: str = "") -> MalformedBody:
    return MalformedBody(message, hint=hint, issues=[Issue(path, code, message, hint)])


def _refused_type(message: str, hint: str) -> MalformedBody:
    return _malformed(MEDIA_TYPE, message, hint)


def _too_deep() -> MalformedBody:
    return _malformed("too_deep", f"The body is nested more than {DEEPEST} levels deep.")


def shown(text: str, most: int = 64) -> str:
    """What may be shown of a text that came from outside: its beginning, with control characters escaped."""
    cut = text if len(text) <= most else text[:most] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in cut)


def _sentence(issues: list[Issue]) -> str:
    first = f"{issues[0].path or 'The body'} {issues[0].message}"
    return f"{first}." if len(issues) == 1 else f"{first}, and {len(issues) - 1} more."
