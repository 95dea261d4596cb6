"""Logs: one line an event, no secrets, and nothing that is quoted can begin a line of its own."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest

from novukit.observability import configure_logs
from novukit.observability.logs import LONGEST, Masked, Seldom
from novukit.settings import IntegrationSettings, MetricsSettings, SecretRef, Settings

log = logging.getLogger("novukit.test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What was logged; the process's logging is as it was afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("novukit")
    before = (root.handlers[:], root.level, ours.level)
    yield io.StringIO()
    root.handlers[:], root.level, ours.level = before


def logged(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_event_is_one_line(stream: io.StringIO, form: Literal["text", "json"]) -> None:
    """Line breaks, terminal codes and separators that come with data are made visible; an error is told in its line."""
    configure_logs(form, stream=stream)
    log.warning("told %s", "x\n2026-01-01 ERROR fake\r\x1b[31m\u2028\x85end")
    try:
        raise ValueError("why\nnot")
    except ValueError:
        log.exception("it failed")

    assert 2 == len(logged(stream))
    for line in logged(stream):
        assert line.isprintable()
    assert "fake" in logged(stream)[0]
    assert "ValueError" in logged(stream)[1]
    assert "test_logs.py:" in logged(stream)[1]


def test_json_lines_are_objects(stream: io.StringIO) -> None:
    """Time, level, logger, message, what ``extra`` brought, and the error with its places."""
    configure_logs("json", stream=stream)
    try:
        raise KeyError("x")
    except KeyError:
        log.error("bad %d", 1, exc_info=True, extra={"execution_id": "e1", "sizes": [1, 2]})

    line = json.loads(stream.getvalue())
    assert ("error", "novukit.test", "bad 1", "e1", [1, 2]) == (
        line["level"], line["logger"], line["message"], line["execution_id"], line["sizes"],
    )  # fmt: skip
    assert line["time"].endswith("+00:00")
    assert "KeyError" == line["error"]["type"]


def test_levels(stream: io.StringIO) -> None:
    """The level is for novukit: libraries are heard from «warning» on, for below that some tell addresses."""
    configure_logs("text", "debug", stream=stream)
    log.debug("ours")
    logging.getLogger("httpx").info("HTTP Request: POST https://api.example.com/bot123:secret/send")
    logging.getLogger("httpx").warning("theirs")

    assert ["ours", "theirs"] == [line.rpartition(": ")[2] for line in logged(stream)]


def test_configuring_again_takes_the_place(stream: io.StringIO) -> None:
    """No line comes twice."""
    configure_logs("text", stream=stream)
    configure_logs("json", stream=stream)
    log.warning("once")

    assert 1 == len(logged(stream))


def test_what_is_said_over_and_over_is_told_seldom() -> None:
    """IN3: a few times a minute, then how often it was; another line of the code is another matter."""
    now = [0.0]
    seldom = Seldom(lambda: now[0])

    def said(line: int) -> str | None:
        record = logging.LogRecord("novukit", logging.WARNING, "a.py", line, "away", (), None)
        return record.getMessage() if seldom.filter(record) else None

    first = [said(1) for _ in range(20)]
    other = said(2)
    now[0] = 61.0
    then = [said(1), said(1)]

    assert ["away"] * 5 + [None] * 15 == first
    assert "away" == other
    assert ["away [15 more like the ones before]", "away"] == then


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://ada:s3cret@host/db refuses", "postgres://ada:***@host/db refuses"),
        ("rediss://:s3cret@host:6379/0", "rediss://:***@host:6379/0"),
        ("postgres://host:5432/db and ada@example.com", "postgres://host:5432/db and ada@example.com"),
        ("key nk_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ12 is", "key *** is"),
        ("Authorization: ApiKey abcdef123456", "Authorization: ApiKey ***"),
        ("authorization: Bearer eyJhbGciOi.J9", "authorization: Bearer ***"),
        ("invalid input for query argument $3: {'name': 'Ada'} (a dict)", "invalid input for query argument $3: ***"),
        ("duplicate key\nDETAIL:  Key (email)=(ada@example.com) exists.", "duplicate key\\nDETAIL:  ***"),
        ("[type=x, input_value={'a': 'Ada'}, input_type=dict]", "[type=x, input_value=***, input_type=dict]"),
        ("a hunter2-password and a hunter2", "a *** and a ***"),
        ("short ab stays", "short ab stays"),
        ("x" * (LONGEST + 1), "x" * LONGEST + "…"),
    ],
)  # fmt: skip
def test_secrets_are_blacked_out(text: str, expected: str) -> None:
    """Those that are known, and what has the form of one; values that libraries quote are payloads."""
    assert expected == Masked({"hunter2", "hunter2-password", "ab"})(text)


def test_settings_know_their_secrets() -> None:
    """Master keys, passwords of URLs (as written and as meant), credentials, the token of the metrics, the own key."""
    settings = Settings(
        database="postgres://ada:p%40ss-word@host/db", secret_key="nk_own",
        broker="rediss+sentinel://:redis-word@host/service",
        metrics=MetricsSettings(token=SecretRef(env="SCRAPE")),
        integrations=(
            IntegrationSettings(identifier="a", provider="x", credentials={"api_key": {"env": "KEY"}, "from": "a@b.c"}),
            IntegrationSettings(identifier="b", provider="x", credentials={"password": "written"}),
        ),
    )  # fmt: skip
    environ = {"NOVUKIT_MASTER_KEY": "new:bWFzdGVy, old:a2V5", "KEY": "key-word", "SCRAPE": "scrape-word"}
    wanted = {
        "p%40ss-word", "p@ss-word", "redis-word", "nk_own", "key-word", "written", "scrape-word", "bWFzdGVy", "a2V5",
    }  # fmt: skip

    known = settings.known_secrets(environ)

    assert wanted <= known
    assert "a@b.c" not in known
