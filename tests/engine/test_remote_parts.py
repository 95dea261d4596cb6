"""The parts of remote workflows that need no application: how JavaScript writes, what is signed, when a wait ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from novukit.engine.remote import declaration, javascript, signature, times
from novukit.errors import BridgeFailed, InvalidInput, StepMisuse

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.0", "1"), ("-0.0", "0"), ("1e21", "1e+21"), ("1e20", "100000000000000000000"), ("0.1", "0.1"),
        ("1e-7", "1e-7"), ("0.000001", "0.000001"), ("9007199254740993", "9007199254740992"), ("-12.50", "-12.5"),
        ("12345678901234567890123", "1.2345678901234568e+22"), ("NaN", "null"), ("1" * 400, "null"),
        ('{"b": 1, "10": 2, "9": 3, "01": 4}', '{"9":3,"10":2,"b":1,"01":4}'),
        ('["é\\u2028\\u0001\\"", true, null, {}, []]', '["é\u2028\\u0001\\"",true,null,{},[]]'),
    ],
)  # fmt: skip
def test_json_is_written_as_javascript_does(text: str, written: str) -> None:
    """Numbers, the order of keys, escapes; tests/clients hold the same against Node."""
    assert written == javascript.stringify(json.loads(text))


def test_what_is_no_json_is_not_written() -> None:
    """A value that JSON does not know is a mistake of ours."""
    with pytest.raises(TypeError, match="datetime"):
        javascript.stringify({"at": NOW})


def test_a_signature_is_checked_with_every_key() -> None:
    """Any of them may have signed; the order and unknown parts of the header make no difference."""
    header = signature.sign("second", "{}", NOW)
    at, digest = header.split(",")

    assert signature.flaw(header, ["first", "second"], b"{}", NOW) is None
    assert signature.flaw(f"x=1, {digest}, {at},t=1", ["second"], b"{}", NOW) is None
    assert signature.Flaw.MISMATCH is signature.flaw(header, ["first"], b"{}", NOW)
    assert signature.Flaw.MISMATCH is signature.flaw(header, ["second"], b"{ }", NOW)
    assert signature.Flaw.NO_KEY is signature.flaw(header, [], b"{}", NOW)


@pytest.mark.parametrize(
    ("outputs", "ends"),
    [
        ({"amount": 90, "unit": "minutes"}, NOW + timedelta(minutes=90)),
        ({"amount": 1.5, "unit": "hours"}, NOW + timedelta(minutes=90)),
        ({"amount": 2, "unit": "weeks"}, NOW + timedelta(days=14)),
        ({"amount": 1, "unit": "months"}, datetime(2026, 2, 28, 12, 30, tzinfo=UTC)),
        ({"amount": 12, "unit": "months"}, datetime(2027, 1, 31, 12, 30, tzinfo=UTC)),
        ({"cron": "0 9 * * *"}, datetime(2026, 2, 1, 8, 0, tzinfo=UTC)),
        ({"dynamicKey": "payload.at"}, datetime(2026, 3, 1, tzinfo=UTC)),
        ({"dynamicKey": "in.some"}, NOW + timedelta(days=3)),
    ],
)
def test_a_wait_ends_when_its_outputs_say(outputs: dict[str, Any], ends: datetime) -> None:
    """Amounts, calendar months, slots in the subscriber's zone, dates and durations in the payload."""
    payload = {"at": "2026-03-01T00:00:00Z", "in": {"some": {"amount": 3, "unit": "days"}}}

    assert ends == times.end_of("wait", outputs, payload, NOW, "Europe/Berlin")


@pytest.mark.parametrize(
    "outputs",
    [
        {}, {"amount": "3", "unit": "days"}, {"amount": -1, "unit": "days"}, {"amount": 1, "unit": "years"},
        {"amount": True, "unit": "days"}, {"amount": 2, "unit": "decades"}, {"amount": 13, "unit": "months"},
        {"amount": 1e300, "unit": "days"}, {"amount": float("inf"), "unit": "days"}, {"cron": "whenever"},
        {"dynamicKey": "nothing"}, {"dynamicKey": "text"}, {"cron": 7},
    ],
)  # fmt: skip
def test_what_names_no_time_is_refused(outputs: dict[str, Any]) -> None:
    """In a sentence that names the step."""
    with pytest.raises((BridgeFailed, StepMisuse), match="'wait'"):
        times.end_of("wait", outputs, {"text": "soon"}, NOW, None)


def test_a_key_stands_for_what_the_payload_has_at_its_path() -> None:
    """Whatever it is, in at most 255 characters."""
    payload: dict[str, Any] = {"post": {"id": 7, "name": "x" * 300}}

    assert ["7", "7", "", ""] == [times.key_of(p, payload) for p in ("post.id", "payload.post.id", "post.no", None)]
    assert 64 == len(times.key_of("post.name", payload))


def test_a_discovery_is_read_with_all_that_is_wrong() -> None:
    """Each workflow that cannot be run here is named, with where it stands."""
    fine = {"workflowId": "fine", "steps": [{"stepId": "a", "type": "email"}]}
    bad = {"workflowId": "a b", "steps": [{"stepId": "x", "type": "http_request"}]}

    with pytest.raises(InvalidInput) as caught:
        declaration.read({"workflows": [fine, bad, "nonsense"]})

    assert {"/workflows/1/id", "/workflows/1/steps/0/kind", "/workflows/2/id", "/workflows/2/name"} == {
        issue.path for issue in caught.value.issues
    }
    with pytest.raises(BridgeFailed):
        declaration.read({})


def test_preferences_and_schemas_are_taken_over() -> None:
    """A channel that is off, a critical workflow; a schema lets unknown fields pass, an empty one is none."""
    schema = {
        "type": "object", "additionalProperties": False,
        "properties": {"a": {"type": "object", "additionalProperties": False, "properties": {"b": {}}}},
    }  # fmt: skip
    one = {
        "workflowId": "one", "steps": [], "severity": "high", "payload": {"schema": schema},
        "preferences": {"all": {"readOnly": True}, "channels": {"sms": {"enabled": False}, "tool": {"enabled": True}}},
    }  # fmt: skip

    spec = declaration.read({"workflows": [one]})["one"]

    assert (True, True, {"sms": False}) == (
        spec.preferences.enabled, spec.preferences.read_only, spec.preferences.channels,
    )  # fmt: skip
    assert {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}} == spec.payload_schema
    assert declaration.payload_schema({"schema": {"type": "object", "properties": {}}}) is None
