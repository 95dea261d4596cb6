"""Promise P9, for every route there is: what belongs to another environment is as good as not there.

The routes are read from the code. One with a parameter or a body that this test cannot fill makes it fail.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from novukit.bridge import parameters
from novukit.bridge.api import HANDLERS
from novukit.model import Environment, StoredSubscriber
from novukit.store import Database, Scope, subscribers
from novukit.store.tables import TABLES

from ..rows import Rows

pytestmark = pytest.mark.anyio

Names = dict[str, str]
"""The name or id of one thing of each kind."""
Value = Callable[[str], Any]
"""Gives the name or id of a thing, by kind: somebody's own, another environment's, or nobody's."""

KINDS = {
    "subscriber_id": "subscriber", "subscriber_ids": "subscriber", "notification_id": "message",
    "message_id": "message", "topic_key": "topic", "transaction_id": "transaction", "execution_id": "execution",
    "workflow_id": "workflow", "templates": "workflow", "integration_id": "integration",
    "integration_identifier": "integration_name", "key_id": "key", "suppression_id": "suppression",
    "layout_id": "layout", "resource_id": "layout", "variable_key": "variable", "email": "email", "emails": "email",
    "address": "email", "key": "topic", "connection_identifier": "connection", "search": "transaction",
}  # fmt: skip
"""Which kind of thing a parameter names."""

KINDS_HERE = {
    ("/v1/channel-connections", "identifier"): "connection", ("/v1/channel-endpoints", "identifier"): "endpoint",
    ("/v2/topics", "identifier"): "subscription", ("/v2/contexts", "context_id"): "context",
    ("/v2/contexts", "id"): "context", ("/v2/contexts", "search"): "context",
    ("/v1/notifications", "notification_id"): "execution", ("/v1/environment-variables", "search"): "variable",
}  # fmt: skip
"""The same where a name means different things on different routes."""

PLAIN = {
    "provider_id": "fcm", "button": "primary", "change": "complete", "resource_type": "layout", "locale": "en_US",
    "kind": "tenant", "step_id": "inbox",
}  # fmt: skip
"""Path parameters that name nothing of anybody's."""

ASKING = {
    "limit", "offset", "page", "after", "before", "order_by", "order_direction", "include_cursor", "read", "seen",
    "archived", "snoozed", "about", "tags", "severity", "created_gte", "created_lte", "channel", "channels",
    "criticality", "status", "reason", "unknown", "released", "filters", "words", "name", "phone", "fail_if_exists",
    "note", "payload", "context_keys", "provider_id", "connection_mode", "locale", "source", "subscription_id",
}  # fmt: skip
"""Query parameters that name nothing of anybody's, or only narrow what is one's own."""

SHARED = {"environment_id", "target_environment_id"}
"""Environments themselves are the organization's: every key of it may see and rename them."""

APART = {
    ("POST", "/v1/bridge/sync"): "asks an application over the network",
    ("POST", "/v1/bridge/validate"): "asks an application over the network",
    ("POST", "/v2/translations/upload"): "takes files; what it writes is the caller's own",
    ("POST", "/v2/translations/master-json/upload"): "takes files; what it writes is the caller's own",
}
"""Routes whose bodies name nothing of another's, and that cannot be called here."""

BODIES: dict[tuple[str, str], Callable[[Value], Any]] = {
    ("POST", "/v1/environments"): lambda _: {"name": uuid4().hex},
    ("PUT", "/v1/environments/{}"): lambda _: {"name": "Changed"},
    ("POST", "/v1/integrations"): lambda _: {"providerId": "console-sms"},
    ("PUT", "/v1/integrations/{}"): lambda _: {"name": "Changed"},
    ("POST", "/v1/integrations/{}/send-test"): lambda _: {"to": "ada@example.org"},
    ("POST", "/v1/keys"): lambda _: {"name": "new"},
    ("PUT", "/v1/subscribers/{}/credentials"): lambda v: {
        "providerId": "fcm", "integrationIdentifier": v("integration_name"), "credentials": {"deviceTokens": ["t"]}},
    ("PATCH", "/v1/subscribers/{}/credentials"): lambda v: {
        "providerId": "fcm", "integrationIdentifier": v("integration_name"), "credentials": {"deviceTokens": ["t"]}},
    ("POST", "/v1/channel-connections"): lambda v: {
        "integrationIdentifier": v("integration_name"), "subscriberId": v("subscriber"), "workspace": {"id": "T"},
        "auth": {"accessToken": "x"}},
    ("PATCH", "/v1/channel-connections/{}"): lambda _: {"workspace": {"id": "T"}, "auth": {"accessToken": "x"}},
    ("POST", "/v1/channel-endpoints"): lambda v: {
        "integrationIdentifier": v("integration_name"), "subscriberId": v("subscriber"), "type": "slack_channel",
        "connectionIdentifier": v("connection"), "endpoint": {"channelId": "C"}},
    ("PATCH", "/v1/channel-endpoints/{}"): lambda _: {"endpoint": {"url": "https://example.org"}},
    ("PATCH", "/v2/subscribers/{}/preferences"): lambda v: {"workflowId": v("workflow"), "channels": {"email": False}},
    ("PATCH", "/v2/subscribers/{}/preferences/bulk"): lambda v: {
        "preferences": [{"workflowId": v("workflow"), "channels": {"email": False}}]},
    ("POST", "/v2/subscribers"): lambda _: {"subscriberId": "new"},
    ("POST", "/v1/subscribers/bulk"): lambda _: {"subscribers": [{"subscriberId": "new"}]},
    ("PATCH", "/v2/subscribers/{}"): lambda _: {"firstName": "Changed"},
    ("PATCH", "/v1/subscribers/{}/online-status"): lambda _: {"isOnline": True},
    ("POST", "/v1/suppressions"): lambda _: {"channel": "email", "address": "new@example.org"},
    ("POST", "/v2/topics"): lambda _: {"key": "new"},
    ("PATCH", "/v2/topics/{}"): lambda _: {"name": "Changed"},
    ("POST", "/v2/topics/{}/subscriptions"): lambda v: {"subscriptions": [v("subscriber")]},
    ("DELETE", "/v2/topics/{}/subscriptions"): lambda v: {
        "subscriptions": [v("subscriber"), {"identifier": v("subscription")}]},
    ("PATCH", "/v2/topics/{}/subscriptions/{}"): lambda v: {"preferences": [v("workflow")]},
    ("POST", "/v1/events/trigger"): lambda v: {
        "name": v("workflow"), "to": [{"type": "Topic", "topicKey": v("topic")}]},
    ("POST", "/v1/events/trigger/broadcast"): lambda v: {"name": v("workflow")},
    ("POST", "/v1/events/trigger/bulk"): lambda v: {
        "events": [{"name": v("workflow"), "to": [{"type": "Topic", "topicKey": v("topic")}]}]},
    ("PATCH", "/v2/subscribers/{}/notifications/{}/snooze"): lambda _: {"snoozeUntil": "2026-01-02T00:00:00Z"},
    ("POST", "/v2/subscribers/{}/notifications/read"): lambda _: {},
    ("POST", "/v2/subscribers/{}/notifications/seen"): lambda v: {"notificationIds": [v("message")]},
    ("POST", "/v2/subscribers/{}/notifications/archive"): lambda _: {},
    ("POST", "/v2/subscribers/{}/notifications/read-archive"): lambda _: {},
    ("POST", "/v2/subscribers/{}/notifications/delete"): lambda _: {},
    ("POST", "/v1/subscribers/{}/messages/mark-all"): lambda _: {"markAs": "read"},
    ("POST", "/v1/subscribers/{}/messages/mark-as"): lambda v: {"messageId": [v("message")], "markAs": "read"},
    ("POST", "/v1/subscribers/{}/messages/{}/actions/{}"): lambda _: {"status": "done"},
    ("POST", "/v1/executions/resume"): lambda v: {"executionIds": [v("execution")]},
    ("POST", "/v1/executions/cancel"): lambda v: {"transactionId": v("transaction")},
    ("POST", "/v1/executions/resolve"): lambda v: {"executionIds": [v("execution")], "outcome": "sent"},
    ("POST", "/v1/executions/{}/resolve"): lambda _: {"outcome": "sent"},
    ("POST", "/v1/messages/{}/resolve"): lambda _: {"outcome": "sent"},
    ("PUT", "/v2/workflows/{}/sync"): lambda _: {"targetEnvironmentId": str(uuid4())},
    ("POST", "/v2/workflows/{}/step/{}/preview"): lambda _: {},
    ("POST", "/v2/environments/{}/diff"): lambda _: {},
    ("POST", "/v2/environments/{}/publish"): lambda _: {"dryRun": True},
    ("PATCH", "/v2/workflows/{}"): lambda _: {"active": False},
    ("POST", "/v1/sync/plan"): lambda _: {"workflows": {}},
    ("PUT", "/v1/sync"): lambda _: {"workflows": {}},
    ("POST", "/v2/layouts"): lambda _: {"layoutId": f"l-{uuid4().hex}", "name": "New"},
    ("PUT", "/v2/layouts/{}"): lambda _: {"name": "Changed"},
    ("POST", "/v2/layouts/{}/duplicate"): lambda _: {"name": "Copy"},
    ("POST", "/v2/layouts/{}/preview"): lambda _: {},
    ("POST", "/v2/translations"): lambda v: {
        "resourceType": "layout", "resourceId": v("layout"), "locale": "de_DE", "content": {"hello": "Hallo"}},
    ("POST", "/v2/translations/master-json"): lambda v: {
        "locale": "fr_FR", "masterJson": {"layouts": {v("layout"): {"hello": "Salut"}}}},
    ("POST", "/v1/environment-variables"): lambda _: {"key": "NEW_ONE", "values": []},
    ("PATCH", "/v1/environment-variables/{}"): lambda _: {"isSecret": False},
    ("POST", "/v2/contexts"): lambda _: {"type": "tenant", "id": "new"},
    ("PATCH", "/v2/contexts/{}/{}"): lambda _: {"data": {}},
}  # fmt: skip
"""A body for each route that takes one; what it names goes through its argument."""


@dataclass(frozen=True)
class Way:
    """One method of one route."""

    method: str
    path: str
    kinds: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    body: Callable[[Value], Any] | None

    def url(self, values: Callable[[str, str], str]) -> str:
        """The path with a value for each parameter, which is asked for by name and kind."""
        kinds = dict(self.kinds)
        return re.sub(
            r"\{(\w+)\}", lambda found: PLAIN.get(found[1]) or values(found[1], kinds.get(found[1], "")), self.path
        )

    def asks(self, own: Names) -> Iterator[tuple[str, Callable[[Names], dict[str, Any]]]]:
        """The places where a name can stand, and the request with another's name there and one's own elsewhere."""
        body = {"json": self.body(own.__getitem__)} if self.body else {}
        for name, _ in self.kinds:
            yield (
                name,
                lambda names, at=name: {
                    "url": self.url(lambda each, kind: (names if each == at else own)[kind]),
                    **body,
                },
            )
        if SHARED & set(re.findall(r"\{(\w+)\}", self.path)):
            return
        home = self.url(lambda _, kind: own[kind])
        for wire, kind in self.query:
            yield wire, lambda names, wire=wire, kind=kind: {"url": home, "params": {wire: names[kind]}}
        if (write := self.body) and _names_something(write, own):
            yield "the body", lambda names: {"url": home, "json": write(names.__getitem__)}


def _names_something(body: Callable[[Value], Any], own: Names) -> bool:
    asked: list[str] = []
    body(lambda kind: asked.append(kind) or own[kind])
    return bool(asked)


def ways(asgi: Litestar) -> Iterator[Way]:
    """Every route of the API, as the app has it. Fails for what cannot be filled."""
    unknown: list[str] = []
    ours = {handler.fn for handler in HANDLERS}
    for route in asgi.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            (method, *_) = sorted(handler.http_methods - {"HEAD", "OPTIONS"}) or [""]
            if handler.fn not in ours or (method, route.path_format) in APART:
                continue
            place = (method, re.sub(r"\{\w+\}", "{}", route.path_format))
            named = [n for n in re.findall(r"\{(\w+)\}", route.path_format) if n not in PLAIN.keys() | SHARED]
            asked = [
                (wire, q.field) for wire, q in parameters.declared(handler).items() if q.field not in ASKING | SHARED
            ]
            kinds = [(name, _kind(route.path_format, name)) for name in named]
            query = [(wire, _kind(route.path_format, field)) for wire, field in asked]
            unknown += [f"{method} {route.path_format}: {name}" for name, kind in [*kinds, *query] if not kind]
            if "data" in handler.parsed_fn_signature.parameters and place not in BODIES:
                unknown.append(f"{method} {route.path_format}: no body in BODIES")
            yield Way(method, route.path_format, tuple(kinds), tuple(query), BODIES.get(place))
    assert not unknown, "This test cannot fill:\n" + "\n".join(unknown)


def _kind(path: str, name: str) -> str:
    here = (kind for (begin, known), kind in KINDS_HERE.items() if path.startswith(begin) and known == name)
    return next(here, KINDS.get(name, ""))


async def seed(api: httpx.AsyncClient, rows: Rows, slug: str) -> Names:
    """One thing of each kind in an environment, by names that no other has."""

    async def make(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await api.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    names = {
        "subscriber": f"{slug}-person", "topic": f"{slug}-topic", "workflow": f"{slug}-workflow",
        "transaction": f"{slug}-transaction", "email": f"{slug}@example.org", "layout": f"{slug}-layout",
        "variable": f"{slug.upper()}1", "connection": f"{slug}-connection", "endpoint": f"{slug}-endpoint",
        "integration_name": f"{slug}-integration", "context": f"{slug}-context",
    }  # fmt: skip
    await rows.workflow(names["workflow"])
    await rows.subscriber(names["subscriber"], email=names["email"])
    await make("/v2/topics", {"key": names["topic"]})
    joined = await api.post(f"/v2/topics/{names['topic']}/subscriptions", json={"subscriptions": [names["subscriber"]]})
    names["subscription"] = joined.json()["data"][0]["identifier"]
    event = await rows.event(names["transaction"], workflow_id=names["workflow"])
    execution = await rows.execution(event, names["subscriber"], status="waiting", workflow_id=names["workflow"])
    content = {"subject": "Hi", "body": "There", "primary_action": {"label": "Go"}}
    message = await rows.message(names["subscriber"], execution_id=execution, content=content)
    names |= {"execution": str(execution), "message": str(message.id)}
    chat = {"identifier": names["integration_name"], "providerId": "console-chat"}
    names["integration"] = (await make("/v1/integrations", chat))["_id"]
    names["key"] = (await make("/v1/keys", {"name": slug}))["_id"]
    names["suppression"] = (await make("/v1/suppressions", {"channel": "email", "address": names["email"]}))["id"]
    await make("/v2/layouts", {"layoutId": names["layout"], "name": slug})
    await make("/v2/translations", {
        "resourceType": "layout", "resourceId": names["layout"], "locale": "en_US", "content": {"hello": "Hello"},
    })  # fmt: skip
    await make("/v1/environment-variables", {"key": names["variable"], "values": []})
    await make("/v2/contexts", {"type": "tenant", "id": names["context"]})
    await make("/v1/channel-connections", {
        "identifier": names["connection"], "integrationIdentifier": names["integration_name"],
        "subscriberId": names["subscriber"], "workspace": {"id": "T"}, "auth": {"accessToken": "x"},
    })  # fmt: skip
    await make("/v1/channel-endpoints", {
        "identifier": names["endpoint"], "integrationIdentifier": names["integration_name"],
        "subscriberId": names["subscriber"], "type": "webhook", "endpoint": {"url": "https://example.org/hook"},
    })  # fmt: skip
    return names


def nobody(names: Names) -> Names:
    """For each kind a name or id of the same form that nothing has."""
    return {
        kind: str(uuid4()) if re.fullmatch(r"[0-9a-f-]{36}", name) else "nothing@example.org"
        if kind == "email" else "NOTHING" if kind == "variable" else f"nothing-{kind}"
        for kind, name in names.items()
    }  # fmt: skip


async def rows_of(database: Database, environment: Environment) -> str:
    """A checksum over all that an environment has, but for when a key was last used."""
    told = hashlib.sha256()
    for table in TABLES:
        if not any(column._meta.name == "environment_id" for column in table._meta.columns):
            continue
        found = await database.fetch(f"select * from {table._meta.tablename} where environment_id = $1", environment.id)
        plain = [{name: str(value) for name, value in dict(row).items() if name != "last_used_at"} for row in found]
        told.update(json.dumps(sorted(json.dumps(row, sort_keys=True) for row in plain)).encode())
    return told.hexdigest()


def told(answer: httpx.Response, *names: Names) -> tuple[int, str]:
    """Status and body, without what differs from one call to the next, and without the names that were asked for."""
    body = answer.json() if answer.content else None
    if isinstance(body, dict) and "statusCode" in body:
        body = {key: value for key, value in body.items() if key not in ("timestamp", "path", "requestId", "errorId")}
    text = json.dumps(body)
    for name in sorted({value for each in names for value in each.values()}, key=len, reverse=True):
        text = text.replace(name, "…")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.]+Z|nk_\w+", "…", text)
    return answer.status_code, re.sub(r"\bl-[0-9a-f]{32}|\b[0-9a-f]{32}\b", "…", text)


@pytest.fixture
async def sides(
    api: httpx.AsyncClient, other: httpx.AsyncClient, runtime: Any, development: Environment, production: Environment
) -> tuple[Names, Names]:
    """What Development has, and what Production has."""
    theirs = await seed(api, Rows(runtime.scope(development.id), development.organization_id), "dev")
    own = await seed(other, Rows(runtime.scope(production.id), production.organization_id), "prod")
    return theirs, own


async def test_what_another_environment_has_is_not_there(
    asgi: Litestar, other: httpx.AsyncClient, sides: tuple[Names, Names],
    database: Database, development: Environment,
) -> None:  # fmt: skip
    """In a path, a query or a body its ids and names get the answer of a random one, and it stays as it was."""
    theirs, own = sides
    random = nobody(theirs)
    before = await rows_of(database, development)
    wrong: list[str] = []
    tried = 0

    for way in ways(asgi):
        for what, ask in way.asks(own):
            tried += 1
            answers = [
                told(await other.request(way.method, **ask(names)), theirs, random) for names in (theirs, random)
            ]
            if answers[0] != answers[1]:
                wrong.append(f"{way.method} {way.path} by {what}:\n  {answers[0]}\n  {answers[1]}")
            if await rows_of(database, development) != before:
                wrong.append(f"{way.method} {way.path} by {what} changed something")
                before = await rows_of(database, development)

    assert not wrong, "\n".join(wrong)
    assert tried > 100


async def test_a_hole_in_the_walls_is_found(
    asgi: Litestar, other: httpx.AsyncClient, sides: tuple[Names, Names], database: Database, development: Environment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Planted: a subscriber is looked for in every environment."""
    get = subscribers.get

    async def anywhere(scope: Scope, subscriber_id: str) -> StoredSubscriber | None:
        rows = await scope.database.fetch(
            "select environment_id from novukit_subscriber where subscriber_id = $1", subscriber_id
        )
        return await get(scope.database.scope(rows[0]["environment_id"]), subscriber_id) if rows else None

    monkeypatch.setattr(subscribers, "get", anywhere)
    with pytest.raises(AssertionError):
        await test_what_another_environment_has_is_not_there(asgi, other, sides, database, development)


async def test_at_home_the_same_names_open(api: httpx.AsyncClient, asgi: Litestar, sides: tuple[Names, Names]) -> None:
    """So what the test above asks for is there: none of these is a 404 in its own environment."""
    theirs, _ = sides
    missing: list[str] = []
    for way in ways(asgi):
        if way.method == "GET" and way.kinds:
            url = way.url(lambda _, kind: theirs[kind])
            if (await api.get(url)).status_code == 404:
                missing.append(url)
    assert missing == []
