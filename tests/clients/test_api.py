"""@novu/api: the client for JavaScript and TypeScript servers, as it comes from npm."""

from __future__ import annotations

from typing import Any

import pytest

from .serving import Live, run_node


@pytest.fixture(scope="module")
def found(live: Live, node: None) -> dict[str, Any]:
    """What ``api.mjs`` found."""
    return run_node(live, "api.mjs")


def test_subscribers(found: dict[str, Any]) -> None:
    """Created, changed, found; ids with odd characters too."""
    ada = found["subscriber"]
    assert ("Ada", "Lovelace", {"n": 1}) == (ada["firstName"], ada["lastName"], ada["data"])
    assert ([1, 1], 1, "js:odd@id+x y") == (found["bulk"], found["searched"], found["odd"])


def test_topics(found: dict[str, Any]) -> None:
    """Two join, two are listed."""
    assert {"totalCount": 2, "successful": 2, "failed": 0} == found["joined"]
    assert {"js-ada", "js-bob"} == set(found["members"])


def test_triggers(found: dict[str, Any]) -> None:
    """One, several, once under a key, and cancelled."""
    assert (True, "processed") == (found["trigger"]["acknowledged"], found["trigger"]["status"])
    assert [True, ["true"]] == found["replayed"]
    assert ["processed", "error"] == found["many"]
    assert found["cancelled"]


def test_what_was_sent(found: dict[str, Any]) -> None:
    """Messages of both channels, for who has an address; the activity of both members; a deletion."""
    assert ["email sent", "in_app sent", "in_app sent"] == found["messages"]
    assert (True, "deleted", 2) == (found["deleted"]["acknowledged"], found["deleted"]["status"], found["left"])
    assert ["js-ada", "js-bob"] == found["activity"]
    assert {"email", "in_app"} <= set(found["jobs"])


def test_the_inbox(found: dict[str, Any]) -> None:
    """Listed, marked, counted."""
    assert "Bulk" in found["inbox"]
    assert found["read"]
    assert [1, len(found["inbox"]) - 1] == found["counts"]


def test_preferences(found: dict[str, Any]) -> None:
    """One channel of one workflow is off."""
    assert found["preference"]["email"] is False
    assert found["preference"]["inApp"] is True


def test_refusals(found: dict[str, Any]) -> None:
    """Each is the client's own class for it, and none of those that it would repeat."""
    assert {
        "payload": {"name": "PayloadValidationExceptionDto", "status": 400},
        "workflow": {"name": "ValidationErrorDto", "status": 422},
        "missing": {"name": "ErrorDto", "status": 404},
        "exists": {"name": "SubscriberResponseDto", "status": 409},
        "leftOut": {"name": "ErrorDto", "status": 404},
    } == found["refused"]
    assert {"name": "ErrorDto", "status": 404} == found["gone"]
