"""Workflows written with Novu's framework, in their own Node process, run by a novukit as a user starts it."""

from __future__ import annotations

import email
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from novukit.engine.remote import javascript, signature

from ..servers import free_port
from . import serving
from .applications import Framework, framework
from .serving import Live

pytestmark = pytest.mark.usefixtures("node")


@pytest.fixture(scope="module")
def application(live: Live, node: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framework]:
    """An application with the novukit's key, synced."""
    counts = tmp_path_factory.mktemp("application") / "counts"
    with framework(live.secret_key, counts) as found:
        sync(live, found.url)
        yield found


def sync(live: Live, url: str) -> list[dict[str, Any]]:
    """``npx novu sync`` makes this very call."""
    with live.api() as api:
        answer = api.post("/v1/bridge/sync?source=cli", json={"bridgeUrl": url})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def trigger(live: Live, workflow: str, who: str, **payload: Any) -> str:
    """Trigger, and give the transaction id."""
    to = {"subscriberId": who, "firstName": who.title(), "email": f"{who}@example.com"}
    with live.api() as api:
        answer = api.post("/v1/events/trigger", json={"name": workflow, "to": to, "payload": payload})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["transactionId"]


def inbox(live: Live, who: str) -> list[dict[str, Any]]:
    """What stands in the inbox of ``who``."""
    with live.api() as api:
        answer = api.get(f"/v2/subscribers/{who}/notifications")
    return answer.json()["data"] if answer.status_code == 200 else []


def execution(live: Live, transaction_id: str) -> dict[str, Any]:
    """The execution of a transaction, as the activity feed has it."""
    with live.api() as api:
        found = api.get("/v1/executions", params={"transactionId": transaction_id}).json()["data"]
    return found[0]


def until(true: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for a result that counts."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


def mails(live: Live, to: str) -> list[Any]:
    """The mails that were caught for an address."""
    files = sorted((live.folder / "mail").glob(f"*{to}*.eml"))
    return [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]


def test_a_sync_tells_what_is_there_now(live: Live, application: Framework) -> None:
    """The workflows are stored beside those of the code, with their steps and schemas."""
    found = {one["workflowId"]: one for one in sync(live, application.url)}

    assert {"ts-order", "ts-comments", "ts-reminder", "ts-limited", "ts-throwing", "ts-branch"} == set(found)
    assert [("load", "custom"), ("bell", "in_app"), ("never", "email"), ("mail", "email")] == [
        (step["stepId"], step["type"]) for step in found["ts-order"]["steps"]
    ]
    assert ("An order from TypeScript", ["shop"]) == (found["ts-order"]["name"], found["ts-order"]["tags"])
    assert {"number", "price", "count"} == set(found["ts-order"]["payloadSchema"]["properties"])
    with live.api() as api:
        status = api.get("/v1/bridge/status").json()["data"]
        listed = api.get("/v2/workflows", params={"limit": 100}).json()["data"]["workflows"]
    assert {"status": "ok", "bridgeUrl": application.url} == status
    assert {"order", "ts-order"} <= {one["workflowId"] for one in listed}


def test_an_order_goes_into_the_inbox_and_out_by_mail(live: Live, application: Framework) -> None:
    """A custom step's result, a payload's default, a skipped step, and the framework's cleaning of HTML."""
    before = application.ran()
    trigger(live, "ts-order", "ada", number=7, price=2.5)

    (mail,) = until(lambda: mails(live, "ada@example.com"))
    (bell,) = inbox(live, "ada")

    assert ("Order #7", "It costs 2.5") == (bell["subject"], bell["body"])
    assert ({"number": 7}, "Look") == (bell["data"], bell["primaryAction"]["label"])
    assert "Dear Ada" == mail["subject"]
    html = mail.get_body(("html",)).get_content()
    assert "<h1>#7</h1>" in html
    assert "bad()" not in html
    assert {"load": 1, "bell": 1, "mail": 1} == application.ran() - before


def test_a_payload_that_does_not_fit_is_refused_at_once(live: Live, application: Framework) -> None:
    """By the schema that zod had made."""
    with live.api() as api:
        answer = api.post("/v1/events/trigger", json={"name": "ts-order", "to": "ada", "payload": {"number": "7"}})

    assert 400 == answer.status_code
    assert {"/payload/number", "/payload/price"} == {issue["path"] for issue in answer.json()["details"]}


def test_a_digest_joins_what_belongs_together(live: Live, application: Framework) -> None:
    """Two comments on one post are one notification; the one on another post is its own."""
    for post, text in (("p1", "one"), ("p2", "other"), ("p1", "two")):
        trigger(live, "ts-comments", "bob", post=post, text=text)

    found = until(lambda: (now := inbox(live, "bob")) and len(now) == 2 and now)

    assert {"2: one, two", "1: other"} == {one["body"] for one in found}


def test_a_later_step_sees_what_was_seen(live: Live, application: Framework) -> None:
    """The bell was seen during the delay."""
    trigger(live, "ts-reminder", "eve")
    (bell,) = until(lambda: inbox(live, "eve"))
    with live.api() as api:
        api.post("/v2/subscribers/eve/notifications/seen", json={}).raise_for_status()

    again = until(lambda: (now := inbox(live, "eve")) and len(now) == 2 and now)

    assert bell["body"] == "Look here"
    assert "Seen: true" in {one["body"] for one in again}


def test_a_throttle_lets_one_pass(live: Live, application: Framework) -> None:
    """The second trigger within the hour ends there."""
    trigger(live, "ts-limited", "tim")
    until(lambda: inbox(live, "tim"))
    second = trigger(live, "ts-limited", "tim")

    until(lambda: execution(live, second)["status"] == "completed")

    assert 1 == len(inbox(live, "tim"))


def test_what_the_author_throws_fails_the_step(live: Live, application: Framework) -> None:
    """With the framework's code and the author's sentence; nothing is tried again."""
    transaction = trigger(live, "ts-throwing", "ada")

    failed = until(lambda: (now := execution(live, transaction))["status"] == "failed" and now)

    assert "bell[bridge]" == failed["step"]
    assert "StepExecutionFailedError" in failed["detail"]
    assert "The author made a mistake" in failed["detail"]


def test_another_key_is_told_clearly(live: Live, tmp_path: Path) -> None:
    """A strict application that has another secret key refuses, and the sync says what to do."""
    with framework("another-key", tmp_path / "counts") as found, live.api() as api:
        answer = api.post("/v1/bridge/sync", json={"bridgeUrl": found.url})

    assert 400 == answer.status_code
    assert "SignatureMismatchError" in answer.json()["message"]
    assert "NOVU_SECRET_KEY" in answer.json()["hint"]


def test_nobody_there_is_told_clearly(live: Live) -> None:
    """A sync with a URL where nothing listens is a 400; a validation says no."""
    url = f"http://127.0.0.1:{free_port()}/api/novu"
    with live.api() as api:
        synced = api.post("/v1/bridge/sync", json={"bridgeUrl": url})
        tried = api.post("/v1/bridge/validate", json={"bridgeUrl": url})

    assert (400, "bridge_unavailable") == (synced.status_code, synced.json()["code"])
    assert (200, False) == (tried.status_code, tried.json()["data"]["isValid"])


def test_it_goes_on_after_kill_9_and_after_the_application_was_away(tmp_path: Path) -> None:
    """The process dies in the delay, and when it is back, the application is away: each step's code has run once."""
    counts = tmp_path / "counts"
    with serving.serve(tmp_path) as first, framework(first.secret_key, counts) as application:
        sync(first, application.url)
        trigger(first, "ts-reminder", "ada")
        until(lambda: inbox(first, "ada"))
        os.kill(first.pid, signal.SIGKILL)
    with serving.serve(tmp_path) as second:
        with second.api() as api:
            waits = until(
                lambda: [one for one in api.get("/v1/executions").json()["data"] if one["step"] == "again[bridge]"]
            )
        assert ("waiting", "bridge_unavailable") == (waits[0]["status"], _reason(second, waits[0]["id"]))
        with framework(second.secret_key, counts, BRIDGE_PORT=application.port):
            until(lambda: len(inbox(second, "ada")) == 2, 60)
    assert {"first": 1, "again": 1} == application.ran()


def test_a_condition_leads_around_a_step(live: Live, application: Framework) -> None:
    """The application says that it came to a later step: this one is skipped, and the workflow goes on."""
    transaction = trigger(live, "ts-branch", "bea")
    until(lambda: inbox(live, "bea"))
    with live.api() as api:
        api.post("/v2/subscribers/bea/notifications/seen", json={}).raise_for_status()

    until(lambda: execution(live, transaction)["status"] == "completed")

    with live.api() as api:
        steps = api.get(f"/v1/executions/{execution(live, transaction)['id']}").json()["data"]["steps"]
    assert {"bell": None, "wait": None, "nudge": "not_reached", "last": None} == {
        one["stepId"]: one["reason"] for one in steps if not one["key"]
    }


def test_json_is_written_as_javascript_writes_it(live: Live, node: None) -> None:
    """To the letter, or a signature would not fit: numbers, order of keys, escapes; and the signature is the same."""
    texts = [
        "1.0", "1e21", "1e20", "123456789012345678901234567890", "9007199254740993", "0.1", "1e-7", "0.000001",
        "-0.0", "1.5e300", "123.456", "-2.50", "100", "1E400", '{"b":1,"2":2,"a":3,"1":4,"01":5,"4294967295":6,"-1":7}',
        json.dumps({"a": '\x00\x1f"\\/\u2028é🦆', "é": [None, True, {}]}), '{"a":{"10":1,"9":[1.50]}}',
    ]  # fmt: skip

    told = serving.run_node(live, "stringify.mjs", json.dumps(texts))

    assert [written for written, _ in told] == [javascript.stringify(json.loads(text)) for text in texts]
    at = datetime.fromtimestamp(0.001, UTC)
    assert all(signature.sign("secret", w, at) == f"t=1,v1={digest}" for w, digest in told)
    assert all(signature.flaw(f"t=1,v1={digest}", ["other", "secret"], w.encode(), at) is None for w, digest in told)


def test_novus_worker_runs_our_workflows(tmp_path: Path, node: None) -> None:
    """Signed by Node, strictly checked; each answer fits the schemas of Novu's framework."""
    with serving.serve(tmp_path, toml=f"{serving.TOML}\n[bridge]\nstrict = true\n") as live:
        found = serving.run_node(live, "worker.mjs")

    assert {"amount": 1, "unit": "days", "type": "regular"} == found["reminder/wait"]
    assert {"subject": "Order 7", "body": "Thank you."} == found["order/mail"]
    assert ("Größe «1»", {"1": 1.5, "2": "two"}) == (found["note/inbox"]["subject"], found["note/inbox"]["data"])


def _reason(live: Live, execution_id: str) -> str | None:
    with live.api() as api:
        steps = api.get(f"/v1/executions/{execution_id}").json()["data"]["steps"]
    return steps[-1]["reason"]


def test_a_sync_deletes_what_is_gone(live: Live, application: Framework, tmp_path: Path) -> None:
    """Workflows that the application no longer has go, new ones come, those of our code stay."""
    with framework(live.secret_key, tmp_path / "counts", BRIDGE_LATER="1") as later:
        found = {one["workflowId"] for one in sync(live, later.url)}
    with live.api() as api:
        listed = api.get("/v2/workflows", params={"limit": 100}).json()["data"]["workflows"]

    assert {"ts-order", "ts-comments", "ts-reminder", "ts-throwing", "ts-late"} == found
    assert found | {"note", "alarm", "order", "reminder", "security"} == {one["workflowId"] for one in listed}
    sync(live, application.url)
