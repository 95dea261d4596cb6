"""A server that is killed over a request under an idempotency key: after the repetition it has happened once."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from novukit.crash import VARIABLE

from ..clients.serving import serve

ASK = {"name": "note", "to": [{"subscriberId": "ada", "firstName": "Ada"}], "payload": {}}
KEY = {"Idempotency-Key": "one"}


@pytest.mark.parametrize(
    ("path", "body", "point"),
    [
        ("/v1/events/trigger", ASK, "trigger.mid"),
        ("/v1/events/trigger", ASK, "trigger.after"),
        ("/v1/events/trigger/bulk", {"events": [ASK]}, "trigger.after"),
    ],
)
def test_what_is_repeated_after_a_kill_happens_once(
    tmp_path: Path, path: str, body: dict[str, object], point: str
) -> None:
    """The key is free at once where nothing was kept, and gives the answer of what was."""
    dead = pytest.raises(httpx.RemoteProtocolError)
    with serve(tmp_path, environ={VARIABLE: point}) as live, live.api() as api, dead:
        api.post(path, json=body, headers=KEY)
    with serve(tmp_path) as live, live.api() as api:
        answers = [api.post(path, json=body, headers=KEY) for _ in range(2)]
        assert [201, 201] == [each.status_code for each in answers], answers[0].text
        assert answers[0].content == answers[1].content
        assert "true" == answers[1].headers["idempotency-replay"]
        kept = point == "trigger.after" and not path.endswith("bulk")
        assert kept == ("idempotency-replay" in answers[0].headers)
        assert 1 == len(api.get("/v1/executions").json()["data"])
