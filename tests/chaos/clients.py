"""The clients of a chaos run: they ask over HTTP, hear nothing, ask again under the same id, and write it down."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from ..proof.history import History
from .workflows import Asked

PATIENCE = 15.0
"""Seconds after which a client gives up to hear an answer. A server whose database is away answers within five, on a
machine that is not loaded as this one is."""
MEMBERS = tuple(f"member-{n}" for n in range(50))
TOPIC = "crowd"
PEOPLE, READERS = 150, 6
"""How many subscribers get letters, and how many get digests."""
KINDS = ("native", "lookup", "none")
AT_ONCE = 40
"""How many requests may be under way."""
CANCELS = 0.2
"""The share of letters that are cancelled a moment after they were accepted."""


@dataclass
class Load:
    """Operations in a second, by kind."""

    letters: float = 5.0
    digests: float = 4.0
    crowds: float = 0.3

    def times(self, factor: float) -> Load:
        return Load(self.letters * factor, self.digests * factor, self.crowds * factor)


@dataclass
class Clients:
    """Operations at random moments, each asked for until it is answered; open loop: nobody waits for the others."""

    url: str
    key: str
    history: History
    rng: random.Random
    traces: str
    load: Load = field(default_factory=Load)
    answers: Counter[str] = field(default_factory=Counter[str])
    complaints: list[str] = field(default_factory=list[str])
    waits: list[float] = field(default_factory=list[float])
    """Seconds from the first asking to ``ok``."""
    slowest: dict[int, float] = field(default_factory=dict[int, float])
    """The longest that an answer of each status took."""
    begun: int = 0

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=20)
        self._http = httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"ApiKey {self.key}"}, timeout=PATIENCE, trust_env=False,
            limits=limits,
        )  # fmt: skip
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._knocking: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """The members of the topic."""
        people = [{"subscriberId": who, "email": f"{who}@example.com"} for who in MEMBERS]
        (await self._http.post("/v1/subscribers/bulk", json={"subscribers": people})).raise_for_status()
        made = await self._http.post(f"/v2/topics/{TOPIC}/subscriptions", json={"subscriberIds": list(MEMBERS)})
        made.raise_for_status()

    async def run(self, until: float) -> None:
        """Begin operations until ``until`` (wall time)."""
        kinds = {self._letter: self.load.letters, self._digest: self.load.digests, self._crowd: self.load.crowds}
        rate, due = sum(kinds.values()), time.time()
        while (due := due + self.rng.expovariate(rate)) < until:
            await asyncio.sleep(max(due - time.time(), 0))
            (kind,) = self.rng.choices(list(kinds), list(kinds.values()))
            self.begun += 1
            task = asyncio.create_task(kind(self.begun))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    async def finish(self, seconds: float) -> None:
        """Let what is under way be answered, for at most so long."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
        left = [*self._under_way, *([self._knocking] if self._knocking else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._http.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (err := task.exception()):
            self.complaints.append(f"THE RUN ITSELF: {type(err).__name__}: {err}")

    async def _letter(self, n: int) -> None:
        who, cancelled_after = self.rng.randrange(PEOPLE), self.rng.random() * 1.5
        cancelled, parks = self.rng.random() < CANCELS, self.rng.random() < 0.1
        asked = Asked(kind=self.rng.choice(KINDS), on_unknown="park" if parks else "retry", traces=self.traces)
        told = await self._trigger(n, "letter", asked, to=[f"person-{who}"])
        if told and cancelled:
            await asyncio.sleep(cancelled_after)
            await self._cancel(f"tx-{n}")

    async def _digest(self, n: int) -> None:
        reader = self.rng.randrange(READERS)
        asked = Asked(kind=KINDS[reader % len(KINDS)], n=n)
        await self._trigger(n, "gathered", asked, to=[f"reader-{reader}"])

    async def _crowd(self, n: int) -> None:
        await self._trigger(n, "crowd", Asked(kind=self.rng.choice(KINDS)), members=list(MEMBERS))

    async def _trigger(self, n: int, workflow: str, asked: Asked, **who: list[str]) -> Any:
        to: Any = [{"subscriberId": one, "email": f"{one}@example.com"} for one in who.get("to", ())]
        to = to or {"type": "Topic", "topicKey": TOPIC}
        body = {"name": workflow, "transactionId": f"tx-{n}", "to": to, "payload": asked.model_dump()}
        return await self._ask(f"tx-{n}", "trigger", "/v1/events/trigger", body, {**who, "workflow": workflow})

    async def _cancel(self, transaction_id: str) -> None:
        """Cancel, and ask again until nothing is «cancelling»."""
        while True:
            told = await self._ask(
                f"cancel {transaction_id}", "cancel", "/v1/executions/cancel", {"transactionId": transaction_id},
                {"transaction_id": transaction_id},
            )  # fmt: skip
            if told is None or not told["cancelling"]:
                return
            await asyncio.sleep(0.1)

    async def _ask(self, op: str, kind: str, path: str, body: Any, facts: dict[str, Any]) -> Any:
        """Ask until there is an answer, and give it; None where it was refused."""
        asked, wait = time.time(), 0.1
        while True:
            async with self._room:
                answer = await self._once(op, kind, path, body, facts)
            if answer is None:
                await self._door_open()
            elif answer.is_success:
                self.waits.append(time.time() - asked)
                return self._told(op, answer.json()["data"])
            elif answer.is_client_error:
                self.history.fail(op, f"{answer.status_code} {answer.text[:200]}")
                return None
            else:
                self.history.info(op, str(answer.status_code))
            await asyncio.sleep(wait * (0.5 + self.rng.random()))
            wait = min(wait * 2, 1.0)

    async def _once(self, op: str, kind: str, path: str, body: Any, facts: dict[str, Any]) -> httpx.Response | None:
        """Ask once; None where nothing was heard."""
        self.history.invoke(op, kind, **facts)
        began = time.monotonic()
        try:
            answer = await self._http.post(path, json=body)
        except httpx.TransportError as err:
            self.history.info(op, type(err).__name__)
            self.answers[type(err).__name__] += 1
            if isinstance(err, httpx.ReadTimeout):
                self.complaints.append(f"P13 {op}: no answer within {PATIENCE:g} s.")
            return None
        except asyncio.CancelledError:
            self.history.info(op, "the run is over")
            raise
        self._note(op, answer, time.monotonic() - began)
        return answer

    async def _door_open(self) -> None:
        """Wait until somebody listens. One knocks for all: hundreds that do would take the machine for themselves."""
        if self._knocking is None or self._knocking.done():
            self._knocking = asyncio.create_task(self._knock())
        await asyncio.shield(self._knocking)

    async def _knock(self) -> None:
        url = httpx.URL(self.url)
        while True:
            try:
                _, writer = await asyncio.open_connection(url.host, url.port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return

    def _told(self, op: str, data: dict[str, Any]) -> dict[str, Any]:
        names = {"eventId": "event_id", "executions": "executions"}
        facts = {names.get(name, name): data[name] for name in (*names, "cancelled", "cancelling") if name in data}
        self.history.ok(op, **facts)
        return data

    def _note(self, op: str, answer: httpx.Response, took: float) -> None:
        """P13: the one error that a healthy client ever meets is a 503 that says when to come back."""
        status = answer.status_code
        self.answers[str(status)] += 1
        self.slowest[status] = max(took, self.slowest.get(status, 0.0))
        if status >= 500 and (status != 503 or "retry-after" not in answer.headers):
            said = f"{status} with Retry-After {answer.headers.get('retry-after', 'missing')}: {answer.text[:300]}"
            self.complaints.append(f"P13 {op}: {said}")
        elif status >= 400 and status != 503:
            self.complaints.append(f"P22 {op}: refused with {status}: {answer.text[:300]}")
