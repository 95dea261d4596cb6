"""``@workflow`` says once what a workflow is: the payload's type, its schema, and how it is triggered."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from novukit import (
    Context,
    Everyone,
    NovukitError,
    Step,
    Subscriber,
    TopicRecipient,
    Triggered,
    WorkflowPreferences,
    workflow,
)
from novukit.authoring import use_sender
from novukit.errors import InvalidInput, PayloadInvalid, WorkflowInvalid
from novukit.model import Trigger, TriggerStatus

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class Comment(BaseModel):
    post_id: str
    text: str = Field(max_length=5)
    at: datetime | None = None


@workflow("comment", name="A comment", description="Told.", tags=["social"], severity="high", critical=True)
async def comment(ctx: Context[Comment]) -> None:
    await ctx.step.sms("code", body=ctx.payload.text)


@workflow("plain")
async def plain(ctx: Context[None]) -> None:
    await ctx.step.sms("code")


class Post:
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[Trigger] = []

    async def __call__(self, trigger: Trigger) -> Triggered:
        self.sent.append(trigger)
        return Triggered(status=TriggerStatus.PROCESSED)


def test_a_workflow_says_all_that_it_declares() -> None:
    """The specification has what was written, and the payload's JSON Schema."""
    spec = comment.spec()

    assert ("comment", "A comment", "Told.", ("social",), "high") == (
        spec.id, spec.name, spec.description, spec.tags, spec.severity,
    )  # fmt: skip
    assert WorkflowPreferences(read_only=True) == spec.preferences
    assert spec.payload_schema is not None
    assert {"post_id", "text", "at"} == spec.payload_schema["properties"].keys()
    assert ["code"] == [step.id for step in spec.steps]
    assert spec is comment.spec()


def test_what_is_not_said_has_a_default() -> None:
    """The id is the name; there is no schema without a payload."""
    spec = plain.spec()

    assert ("plain", "plain", None, WorkflowPreferences()) == (
        plain.name, spec.name, spec.payload_schema, spec.preferences,
    )  # fmt: skip
    assert "test_workflow.py:" in plain.where
    assert plain.payload_type is None


def test_critical_adds_to_preferences() -> None:
    """The channels' defaults stay."""

    @workflow("one", critical=True, preferences=WorkflowPreferences(channels={"sms": False}))
    async def one(ctx: Context[None]) -> None: ...

    assert WorkflowPreferences(channels={"sms": False}, read_only=True) == one.preferences


def test_a_payload_type_may_be_local() -> None:
    """As tests define them, with postponed annotations."""

    class Local(BaseModel):
        n: int

    @workflow("one")
    async def one(ctx: Context[Local]) -> None: ...

    assert Local is one.payload_type


def test_a_payload_is_parsed_from_json_data() -> None:
    """Text becomes a date; a strict model also takes it, because it is JSON."""

    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        at: datetime

    @workflow("one")
    async def one(ctx: Context[Strict]) -> None: ...

    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert Comment(post_id="1", text="hi", at=at) == comment.parse_payload(
        {"post_id": "1", "text": "hi", "at": "2026-01-01T00:00:00Z"}
    )
    assert Strict(at=at) == one.parse_payload({"at": "2026-01-01T00:00:00Z"})
    assert None is plain.parse_payload({"ignored": 1})


def test_a_payload_that_does_not_fit_names_every_field() -> None:
    """Pointers go into the body of the trigger; no value is repeated."""
    with pytest.raises(PayloadInvalid) as caught:
        comment.parse_payload({"post_id": 5, "text": "secret-secret"})

    assert ["/payload/post_id", "/payload/text"] == [issue.path for issue in caught.value.issues]
    assert "post_id must be text, not a number" in caught.value.message
    assert "at most 5" in caught.value.issues[1].message
    assert "secret" not in str(caught.value.issues)


@pytest.mark.parametrize(
    ("to", "kept"),
    [
        ("ada", (Subscriber(subscriber_id="ada"),)),
        (Subscriber(subscriber_id="ada", first_name="Ada"), (Subscriber(subscriber_id="ada", first_name="Ada"),)),
        (TopicRecipient(topic_key="fans"), (TopicRecipient(topic_key="fans"),)),
        (Everyone(), (Everyone(),)),
        (
            ["ada", TopicRecipient(topic_key="fans")],
            (Subscriber(subscriber_id="ada"), TopicRecipient(topic_key="fans")),
        ),
    ],
)
async def test_a_trigger_goes_to_its_recipients(to: Any, kept: Any) -> None:
    """An id is a subscriber; one or many."""
    post = Post()
    with use_sender(post):
        answer = await plain.trigger(to=to)

    assert TriggerStatus.PROCESSED is answer.status
    assert [Trigger(workflow="plain", to=kept)] == post.sent


async def test_a_trigger_carries_all_that_it_was_told() -> None:
    """Payload as JSON data, actor, tenant, overrides and transaction id."""
    post = Post()
    with use_sender(post):
        await comment.trigger(
            to="ada", payload=Comment(post_id="1", text="hi"), transaction_id="t1", actor="bob", tenant="acme",
            overrides={"email": {"subject": "x"}},
        )  # fmt: skip

    (sent,) = post.sent
    assert {"post_id": "1", "text": "hi", "at": None} == sent.payload
    assert ("t1", Subscriber(subscriber_id="bob"), {"identifier": "acme"}, {"email": {"subject": "x"}}) == (
        sent.transaction_id, sent.actor, sent.tenant, sent.overrides,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (partial(comment.trigger, to="ada"), PayloadInvalid, ["'comment'", "Comment", "nothing"]),
        (partial(comment.trigger, to="ada", payload=5), PayloadInvalid, ["Comment", "a number"]),
        (partial(comment.trigger, to="ada", payload={"text": "hi"}), PayloadInvalid, ["post_id is missing"]),
        (
            partial(comment.trigger, to="ada", payload=Comment.model_construct(text="hi")),
            PayloadInvalid,
            ["post_id is missing"],
        ),
        (partial(plain.trigger, to="ada", payload={"a": 1}), PayloadInvalid, ["no payload", "Context[None]"]),
        (partial(plain.trigger, to=[]), InvalidInput, ["'plain'", "to", "at least 1"]),
        (partial(plain.trigger, to=["a"] * 101), InvalidInput, ["to", "at most 100"]),
        (partial(plain.trigger, to="a/b"), InvalidInput, ["'a/b'", "subscriber"]),
        (partial(plain.trigger, to=5), InvalidInput, ["to", "a number"]),
        (partial(plain.trigger, to=[5]), InvalidInput, ["to", "a number"]),
        (partial(plain.trigger, to="ada", transaction_id="a b"), InvalidInput, ["transaction_id"]),
        (partial(plain.trigger, to="ada", actor=""), InvalidInput, ["''", "subscriber"]),
    ],
)
async def test_a_trigger_that_makes_no_sense_is_refused_before_it_is_sent(
    call: Any, error: type[NovukitError], words: list[str]
) -> None:
    """The type checker says it first; at run time a sentence does."""
    post = Post()
    with use_sender(post), pytest.raises(error) as caught:
        await call()

    assert [] == [word for word in words if word not in str(caught.value)]
    assert [] == post.sent


async def none(ctx: Context[None]) -> None: ...


def blocking(ctx: Context[None]) -> None: ...


async def nothing() -> None: ...


async def two(ctx: Context[None], more: int) -> None: ...


async def many(*ctx: Context[None]) -> None: ...


async def untyped(ctx) -> None: ...  # type: ignore[no-untyped-def]


async def bare(ctx: Context) -> None: ...  # type: ignore[type-arg]


async def other(ctx: Step[None]) -> None: ...


async def mapping(ctx: Context[dict[str, int]]) -> None: ...  # type: ignore[type-var]


async def listed(ctx: Context[RootModel[list[int]]]) -> None: ...


async def unknown(ctx: Context[Missing]) -> None: ...  # type: ignore[name-defined]  # noqa: F821


async def generic(ctx: Context[T]) -> None: ...  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("options", "function", "words"),
    [
        ({}, blocking, ["'blocking' is not async", "async def blocking(ctx: Context[Payload]) -> None"]),
        ({}, lambda ctx: None, ["is not async", "async def workflow("]),
        ({}, nothing, ["must take the context and nothing else"]),
        ({}, two, ["must take the context and nothing else"]),
        ({}, many, ["must take the context and nothing else"]),
        ({}, untyped, ["has no type", "Context[Payload]"]),
        ({}, bare, ["what its payload is", "Context[None]"]),
        ({}, other, ["must be a Context, not Step[None]"]),
        ({}, mapping, ["pydantic model or None, not dict[str, int]"]),
        ({}, listed, ["pydantic model or None", "RootModel[list[int]]"]),
        ({}, unknown, ["'Missing'", "TYPE_CHECKING"]),
        ({}, generic, ["pydantic model or None, not ~T"]),
        ({"id": "a b"}, none, ["'a b' cannot be the id of a workflow", "letters"]),
        ({"id": ""}, none, ["'' cannot be the id"]),
        ({"id": "-a"}, none, ["'-a' cannot be the id"]),
        ({"id": 5}, none, ["'5' cannot be the id"]),
        ({"name": "x" * 201}, none, ["name", "at most 200"]),
        ({"tags": [5]}, none, ["tags[0] must be text"]),
        ({"severity": "urgent"}, none, ["severity", "'high'"]),
    ],
)
def test_a_definition_that_breaks_a_rule_is_refused(options: dict[str, Any], function: Any, words: list[str]) -> None:
    """With file and line, what is wrong, and what to write."""
    with pytest.raises(WorkflowInvalid) as caught:
        workflow(**{"id": "one", **options})(function)

    assert [] == [word for word in ["test_workflow.py:", *words] if word not in str(caught.value)]


def test_a_workflow_without_an_id_is_refused() -> None:
    """``@workflow`` bare, without its parentheses."""
    with pytest.raises(WorkflowInvalid, match=r"test_workflow\.py:\d+: @workflow has no id"):
        workflow(none)  # type: ignore[arg-type]


def test_one_tag_is_one_tag() -> None:
    """Not its letters."""
    assert ("social",) == workflow("one", tags="social")(none).tags


def test_a_payload_without_json_schema_is_refused() -> None:
    """The definition is refused at sync, with the field's trouble in words."""

    class Odd:
        pass

    class Payload(BaseModel, Generic[T]):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        odd: Odd

    @workflow("one")
    async def one(ctx: Context[Payload[int]]) -> None:
        await ctx.step.sms("a")

    with pytest.raises(WorkflowInvalid, match=r"test_workflow\.py:\d+: the payload Payload\[int\] has no JSON Schema"):
        one.spec()
