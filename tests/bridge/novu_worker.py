"""A stand-in of Novu's worker: it discovers, then asks for each step in turn, and does what the answers say.

It calls as Novu's own does (@novu/framework's protocol): signed, with the state of the earlier steps, nearest first.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import httpx

from novukit.bridge.protocol import BridgeProtocol

SECRET = "novus-own-key"
ADA = {"subscriberId": "ada", "firstName": "Ada", "email": "ada@example.com", "data": {"plan": "free"}}


class NovuWorker:
    """Novu's side. ``log`` is what it did: a step and its outputs, or «skipped»."""

    def __init__(self, protocol: BridgeProtocol, clock: Any, secret: str = SECRET) -> None:
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(protocol), base_url="http://app.test")
        self._clock, self._secret = clock, secret
        self.log: list[tuple[str, Any]] = []
        self.results: dict[str, dict[str, Any]] = {}
        """What is to come of a step, where a test wants to say."""

    def signed(self, text: str, at: datetime | None = None) -> dict[str, str]:
        """The headers for a body."""
        stamp = int((at or self._clock.now()).timestamp() * 1000)
        digest = hmac.new(self._secret.encode(), f"{stamp}.{text}".encode(), hashlib.sha256).hexdigest()
        return {"novu-signature": f"t={stamp},v1={digest}", "x-novu-signature": f"t={stamp},v1={digest}"}

    async def get(self, **query: str) -> httpx.Response:
        """A signed GET."""
        return await self._http.get("/api/novu", params=query, headers=self.signed("{}"))

    async def post(self, body: Any, **query: str) -> httpx.Response:
        """A signed POST."""
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        headers = {**self.signed(text), "content-type": "application/json"}
        return await self._http.post("/api/novu", params=query, content=text.encode(), headers=headers)

    async def ask(
        self, workflow: str, step: str, *, payload: Any = None, state: Any = (), action: str = "execute", **more: Any
    ) -> httpx.Response:
        """One call for one step."""
        body = {
            "payload": payload or {}, "controls": {}, "subscriber": ADA, "context": {},
            "env": {"name": "Production", "type": "prod"}, "state": list(state), **more,
        }  # fmt: skip
        return await self.post(body, action=action, workflowId=workflow, stepId=step)

    async def run(self, workflow: str, payload: dict[str, Any]) -> None:
        """Run a workflow from its first step to its last."""
        found = (await self.get(action="discover")).json()["workflows"]
        steps = next(one["steps"] for one in found if one["workflowId"] == workflow)
        state = [{"stepId": "trigger", "outputs": payload, "state": {"status": "completed"}}]
        for step in steps:
            answer = await self.ask(workflow, step["stepId"], payload=payload, state=state)
            answer.raise_for_status()
            said = answer.json()
            skipped = said["options"]["skip"] or not said["outputs"]
            self.log.append((step["stepId"], "skipped" if skipped else said["outputs"]))
            outputs = self._outputs(step, said["outputs"], payload)
            status = {"status": "skipped" if skipped else "completed", "error": None}
            state.insert(0, {"stepId": step["stepId"], "outputs": outputs, "state": status})

    def _outputs(self, step: dict[str, Any], said: dict[str, Any], payload: Any) -> dict[str, Any]:
        if step["stepId"] in self.results:
            return self.results[step["stepId"]]
        now = self._clock.now().isoformat()
        match step["type"]:
            case "delay":
                return {"duration": 1000 * said.get("amount", 0)}
            case "digest":
                return {"events": [{"id": "t-1", "time": now, "payload": payload}], "eventCount": 1}
            case "in_app":
                return {"seen": False, "read": False, "lastSeenDate": None, "lastReadDate": None}
            case "throttle":
                return {"throttled": False, "executionCount": 1, "threshold": 1, "windowStart": now}
            case "custom":
                return said
            case _:
                return {}
