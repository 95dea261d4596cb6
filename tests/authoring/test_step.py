"""Each method of ``Step`` builds the call that says exactly what the author asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from novukit import Action, Attachment, Digest, DigestEvent, NovukitError, Redirect, Retry, Sent, Step
from novukit.errors import StepMisuse
from novukit.model import StepKind

from .conftest import Notes

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Comment(BaseModel):
    text: str
    at: datetime = NOON


async def test_an_email_carries_all_that_it_was_told(step: Step[Any], notes: Notes) -> None:
    """Every argument of an e-mail arrives in its inputs."""
    file = Attachment(name="a.txt", content=b"aGk=", mime="text/plain")

    sent = await step.email(
        "welcome",
        subject="Hello",
        body="Hi",
        template="a.html",
        variables={"n": 1},
        layout="plain",
        preheader="pre",
        to="a@example.com",
        sender="b@example.com",
        sender_name="B",
        reply_to="c@example.com",
        cc=["d@example.com"],
        bcc=("e@example.com",),
        headers={"X-A": "1"},
        attachments=[file],
        tags=["welcome"],
        metadata={"order": "7"},
        unless_seen="inbox",
        unless_read="inbox",
        integration="main",
        overrides={"pool": "a"},
        providers={"sendgrid": {"pool": "b"}},
        retry=Retry(attempts=2),
        on_unknown="park",
        key="7",
    )

    assert Sent() == sent
    assert (notes.last.id, notes.last.kind, notes.last.key) == ("welcome", StepKind.EMAIL, "7")
    assert {
        "subject": "Hello",
        "body": "Hi",
        "template": "a.html",
        "variables": {"n": 1},
        "layout": "plain",
        "preheader": "pre",
        "to": "a@example.com",
        "sender": "b@example.com",
        "sender_name": "B",
        "reply_to": "c@example.com",
        "cc": ("d@example.com",),
        "bcc": ("e@example.com",),
        "headers": {"X-A": "1"},
        "attachments": (file,),
        "tags": ("welcome",),
        "metadata": {"order": "7"},
        "unless_seen": "inbox",
        "unless_read": "inbox",
        "integration": "main",
        "overrides": {"pool": "a"},
        "providers": {"sendgrid": {"pool": "b"}},
        "retry": Retry(attempts=2),
        "on_unknown": "park",
    } == dict(notes.inputs)


async def test_a_path_opens_in_place_and_a_url_in_a_new_tab(step: Step[Any], notes: Notes) -> None:
    """A redirect may be plain text; a ``Redirect`` is taken as it is."""
    targets: list[Redirect] = []
    for redirect in ("/posts/1", "https://example.com/", Redirect(url="/a", target="_top")):
        await step.in_app("inbox", body="Hi", redirect=redirect)
        targets.append(notes.inputs.redirect)

    assert [
        Redirect(url="/posts/1", target="_self"),
        Redirect(url="https://example.com/", target="_blank"),
        Redirect(url="/a", target="_top"),
    ] == targets


async def test_in_app_carries_actions_and_data(step: Step[Any], notes: Notes) -> None:
    """Actions stay, and data becomes JSON data."""
    await step.in_app(
        "inbox", subject="S", avatar="https://a/b.png", severity="high",
        primary_action=Action(label="Open", redirect=Redirect(url="/a")), data={"on": date(2026, 1, 2)},
    )  # fmt: skip

    assert "Open" == notes.inputs.primary_action.label
    assert {"on": "2026-01-02"} == notes.inputs.data


async def test_sms_push_and_chat_carry_their_words(step: Step[Any], notes: Notes) -> None:
    """The three small channels have what they need."""
    await step.sms("code", body="1234", to="+4915112345678", sender="Shop")
    await step.push("ping", subject="S", body="B", data={"a": 1})
    await step.chat("note", body="B", template="a.txt")

    sms, push, chat = (call.inputs.model_dump(exclude_defaults=True) for call in notes.calls)
    assert {"body": "1234", "to": "+4915112345678", "sender": "Shop"} == sms
    assert {"subject": "S", "body": "B", "data": {"a": 1}} == push
    assert {"body": "B", "template": "a.txt"} == chat


async def test_variables_become_json_data(step: Step[Any], notes: Notes) -> None:
    """Rendering sees JSON only: models, dates, decimals are what they are in JSON."""
    await step.email(
        "mail", subject="S", template="a.html",
        variables={"comments": [Comment(text="é")], "price": Decimal("1.10"), "tags": ("a", "b")},
    )  # fmt: skip

    assert {
        "comments": [{"text": "é", "at": "2026-01-01T12:00:00Z"}],
        "price": "1.10",
        "tags": ["a", "b"],
    } == notes.inputs.variables


async def test_words_that_look_like_no_number_are_just_words(step: Step[Any], notes: Notes) -> None:
    """«NaN» in a text is not a number that is missing."""
    await step.email("mail", subject="S", variables={"a": "NaN and Infinity", "b": r"\u0000"})

    assert {"a": "NaN and Infinity", "b": r"\u0000"} == notes.inputs.variables


async def test_a_digest_says_when_it_closes_and_by_what(step: Step[Any], notes: Notes) -> None:
    """The grouping key is an input: a digest has no rounds."""
    await step.digest("hourly", window=timedelta(hours=1), key="post-1", look_back=timedelta(minutes=5))
    await step.digest("daily", cron="@daily")

    first, second = notes.calls
    assert ("", "post-1") == (first.key, first.inputs.by)  # type: ignore[union-attr]
    assert {"window": timedelta(hours=1), "by": "post-1", "look_back": timedelta(minutes=5)} == (
        first.inputs.model_dump(exclude_defaults=True)
    )
    assert {"cron": "0 0 * * *"} == second.inputs.model_dump(exclude_defaults=True)


async def test_a_digest_gives_payloads_in_their_type(notes: Notes) -> None:
    """The record holds JSON; the author gets models."""
    notes.gives = Digest((DigestEvent[Any](id="t1", time=NOON, payload={"text": "hi"}),))

    digest = await Step(notes, Comment.model_validate).digest("hourly", window=timedelta(hours=1))

    assert [Comment(text="hi")] == digest.payloads
    assert (digest.events[0].id, digest.events[0].time) == ("t1", NOON)


async def test_a_delay_waits_for_a_while_or_until_a_moment(step: Step[Any], notes: Notes) -> None:
    """A moment is kept in UTC, whatever zone it was given in."""
    await step.delay("wait", timedelta(days=1), key="a")
    await step.delay("date", until=datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))), if_past="skip")

    first, second = notes.calls
    assert ("a", timedelta(days=1)) == (first.key, first.inputs.duration)  # type: ignore[union-attr]
    assert second.inputs.model_dump(exclude_defaults=True) == {"until": NOON, "if_past": "skip"}
    assert second.inputs.until.tzinfo == UTC  # type: ignore[union-attr]


async def test_a_throttle_says_how_many_and_for_whom(step: Step[Any], notes: Notes) -> None:
    """The grouping key of a throttle is an input as well."""
    await step.throttle("calm", limit=3, window=timedelta(hours=1), key="post-1", on_limit="continue")

    assert {"limit": 3, "window": timedelta(hours=1), "by": "post-1", "on_limit": "continue"} == dict(notes.inputs)
    assert "" == notes.last.key


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.email("mail", subject=5), ["'mail'", "subject", "text", "a number"]),
        (lambda s: s.email("mail"), ["subject"]),
        (lambda s: s.email("mail", subject="S", cc="a@example.com"), ["'mail'", "cc", "list"]),
        (lambda s: s.email("mail", subject="S", cc=["a", 5]), ["cc[1]", "text"]),
        (lambda s: s.email("mail", subject="S", attachments=["a.pdf"]), ["attachments[0]", "Attachment"]),
        (lambda s: s.email("mail", subject="S", variabels={}), ["variabels", "'variables'"]),
        (lambda s: s.email("mail", subject="S", variables=[1]), ["variables", "mapping"]),
        (lambda s: s.email("mail", subject="S", variables={"u": object()}), ["variables['u']", "object", "JSON"]),
        (lambda s: s.email("mail", subject="S", variables={"u": [{"v": float("nan")}]}), ["['u'][0]['v']", "finite"]),
        (lambda s: s.email("mail", subject="S", variables={"u": "a\x00"}), ["variables['u']", "NUL"]),
        (lambda s: s.email("mail", subject="S", variables={"\x00": 1}), ["variables", "key", "NUL"]),
        (lambda s: s.email("mail", subject="S", variables={"u": b"\xff"}), ["variables['u']", "bytes"]),
        (lambda s: s.email("mail", subject="S", overrides={"u": {1, object()}}), ["overrides['u']"]),
        (lambda s: s.email("mail", subject="S", headers={"a": 1}), ["headers.a", "text"]),
        (lambda s: s.email("mail", subject="S", on_unknown="drop"), ["on_unknown", "'retry', 'park' or 'next'"]),
        (lambda s: s.email("mail", subject="S", key=3), ["key", "text", "str("]),
        (lambda s: s.email("mail", subject="S", key="x" * 256), ["key", "256"]),
        (lambda s: s.email("mail", subject="S", key="\x00"), ["key", "NUL"]),
        (lambda s: s.email("mail", subject="\ud800"), ["subject", "surrogates"]),
        (lambda s: s.email("mail", subject="S", body="a\x00"), ["body", "NUL"]),
        (lambda s: s.in_app("inbox", redirect="javascript:alert(1)"), ["redirect", "http(s)", "«/»"]),
        (lambda s: s.in_app("inbox", severity="urgent"), ["severity", "'high'"]),
        (lambda s: s.in_app("inbox", primary_action="Open"), ["primary_action", "Action", "text"]),
        (lambda s: s.in_app("inbox", data={"a": float("inf")}), ["data['a']", "finite"]),
        (lambda s: s.digest("d"), ["'d'", "window=", "cron=", "neither"]),
        (lambda s: s.digest("d", window=timedelta(hours=1), cron="@daily"), ["both"]),
        (lambda s: s.digest("d", window=timedelta(hours=-1)), ["window", "1 second", "-1 hour"]),
        (lambda s: s.digest("d", window=timedelta(0)), ["window", "0 seconds"]),
        (lambda s: s.digest("d", window=timedelta(days=366)), ["365 days", "366 days"]),
        (lambda s: s.digest("d", window=3600), ["window", "timedelta"]),
        (lambda s: s.digest("d", window=timedelta(hours=1), look_back=timedelta(0)), ["look_back"]),
        (lambda s: s.digest("d", window=timedelta(hours=1), key=5), ["key", "text"]),
        (lambda s: s.delay("w"), ["'w'", "duration", "until=", "neither"]),
        (lambda s: s.delay("w", timedelta(1), until=NOON), ["both"]),
        (lambda s: s.delay("w", timedelta(seconds=-1)), ["duration", "-1 second"]),
        (lambda s: s.delay("w", timedelta(days=3660)), ["365 days"]),
        (lambda s: s.delay("w", until=datetime(2026, 1, 1)), ["until", "zone"]),  # noqa: DTZ001
        (lambda s: s.delay("w", until="tomorrow"), ["until", "datetime"]),
        (lambda s: s.delay("w", until=NOON, if_past="never"), ["if_past", "'skip'"]),
        (lambda s: s.delay("w", until=datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))), ["until", "9999"]),
        (lambda s: s.throttle("t", limit=0, window=timedelta(hours=1)), ["limit", "from 1 to 1,000,000, not 0"]),
        (lambda s: s.throttle("t", limit="many", window=timedelta(hours=1)), ["limit", "whole number"]),
        (lambda s: s.throttle("t", limit=1, window=timedelta(0)), ["window"]),
    ],
)
async def test_a_wrong_argument_is_named_in_words(call: Any, words: list[str], step: Step[Any]) -> None:
    """The message names the step and the argument, and never is a library's dump."""
    with pytest.raises((StepMisuse, TypeError)) as caught:
        await call(step)

    message = str(caught.value)
    assert [] == [word for word in words if word not in message]
    if isinstance(caught.value, NovukitError):
        assert message.startswith("Step '")
        assert "pydantic.dev" not in message
        assert "\n" not in message
        assert "input_value" not in message


async def test_a_value_that_holds_itself_is_refused(step: Step[Any]) -> None:
    """A circle cannot be JSON; it is named, not followed for ever."""
    circle: dict[str, Any] = {}
    circle["again"] = circle

    with pytest.raises(StepMisuse, match=r"variables\['u'\].*contains itself"):
        await step.email("mail", subject="S", variables={"u": circle})


async def test_all_mistakes_are_told_at_once(step: Step[Any]) -> None:
    """Each wrong argument is an issue with its pointer."""
    wrong: dict[str, Any] = {"subject": 5, "cc": ["a", 6], "headers": {"a/b": 1}}

    with pytest.raises(StepMisuse, match="and 2 more") as caught:
        await step.email("mail", **wrong)

    assert ["/subject", "/cc/1", "/headers/a~1b"] == [issue.path for issue in caught.value.issues]


async def test_nothing_is_run_after_a_mistake(step: Step[Any], notes: Notes) -> None:
    """The runner never sees a call that makes no sense."""
    with pytest.raises(StepMisuse):
        await step.delay("w", timedelta(days=-1))

    assert [] == notes.calls


def test_an_attachment_is_bytes_in_python_and_base64_in_json() -> None:
    """What is neither is refused, not emptied."""
    file = Attachment(name="a.txt", content=b"hi")

    assert "aGk=" == file.model_dump(mode="json")["content"]
    assert file == Attachment.model_validate(file.model_dump(mode="json"))
    assert b"!!" == Attachment(name="a.txt", content=b"!!").content
    with pytest.raises(ValueError, match="base64"):
        Attachment.model_validate({"name": "a.txt", "content": "!!"})
