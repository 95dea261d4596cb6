"""Messages of all channels over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from novukit.model import Environment
from novukit.store import Scope, messages

from ..rows import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
def rows(scope: Scope, development: Environment) -> Rows:
    """Rows of Development."""
    return Rows(scope, development.organization_id)


async def _list(api: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await api.get("/v1/messages", params=query)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def test_a_page_has_the_keys_of_the_contract(
    api: httpx.AsyncClient, rows: Rows, development: Environment
) -> None:
    """A sent e-mail with all that the SDKs insist on, and what novukit adds."""
    mail = await rows.message(
        transaction_id="tx", channel="email", provider_id="smtp", provider_message_id="<1@x>",
        content={"to": "ada@example.org", "sender": "us@example.org", "subject": "Hi", "text": "T", "html": "<p>T</p>"},
    )  # fmt: skip
    page = await _list(api)

    assert {"data", "hasMore", "page", "pageSize"} == page.keys()
    assert (False, 0, 10) == (page["hasMore"], page["page"], page["pageSize"])
    (found,) = page["data"]
    expected = {
        "_id": str(mail.id), "_environmentId": str(development.id), "_organizationId": str(development.organization_id),
        "_notificationId": str(mail.execution_id), "_subscriberId": str(mail.subscriber_uuid), "transactionId": "tx",
        "subscriberId": "ada", "channel": "email", "status": "sent", "state": "sent", "seen": False, "read": False,
        "cta": {}, "email": "ada@example.org", "subject": "Hi", "content": "<p>T</p>", "providerId": "smtp",
        "providerMessageId": "<1@x>", "templateIdentifier": "welcome", "deliveredAt": ["2026-01-01T00:00:00.000Z"],
        "createdAt": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    assert expected == {key: found[key] for key in expected}
    assert "template" not in found


@pytest.mark.parametrize(
    ("state", "status"),
    [("sent", "sent"), ("failed", "error"), ("unknown", "warning"), ("calling", "warning"), ("retrying", "warning")],
)
async def test_a_state_is_one_of_the_three_words_of_the_wire(
    api: httpx.AsyncClient, rows: Rows, state: str, status: str
) -> None:
    """Unknown is neither sent nor failed."""
    await rows.message(channel="sms", status=state, content={"to": "+4915112345678", "body": "x"})
    (found,) = (await _list(api))["data"]
    assert (state, status) == (found["state"], found["status"])


async def test_an_in_app_message_has_its_buttons(api: httpx.AsyncClient, rows: Rows) -> None:
    """In the older shape of the wire."""
    content = {"body": "b", "redirect": {"url": "/x"}, "primary_action": {"label": "Go"}}
    await rows.message(content=content)
    (found,) = (await _list(api))["data"]
    buttons = [{"type": "primary", "content": "Go"}]
    expected = {"type": "redirect", "data": {"url": "/x"}, "action": {"status": "pending", "buttons": buttons}}
    assert (expected, "novu") == (found["cta"], found["providerId"])


async def test_filters_and_pages(api: httpx.AsyncClient, rows: Rows) -> None:
    """Floats are page numbers too, and a repeated transactionId asks for either."""
    made = [await rows.message(transaction_id=f"tx{n}") for n in range(3)]
    second = await _list(api, page="1.0", limit="2.0")
    either = await _list(api, transactionId=["tx0", "tx2"])
    assert [str(made[0].id)] == [one["_id"] for one in second["data"]]
    assert [str(made[2].id), str(made[0].id)] == [one["_id"] for one in either["data"]]
    assert [] == (await _list(api, channel="sms"))["data"]
    assert [] == (await _list(api, subscriberId="bob"))["data"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"channel": "fax"}, "/channel"),
        ({"limit": "101"}, "/limit"),
        ({"page": "-1"}, "/page"),
        ({"chanel": "sms"}, "/chanel"),
        ({"contextKeys": "tenant"}, "/contextKeys"),
    ],
)
async def test_a_bad_query_is_refused(api: httpx.AsyncClient, query: dict[str, str], path: str) -> None:
    """422 with the parameter's name."""
    answer = await api.get("/v1/messages", params=query)
    assert 422 == answer.status_code, answer.text
    assert [path] == [one["path"] for one in answer.json()["details"]]


async def test_delete(api: httpx.AsyncClient, rows: Rows) -> None:
    """Once; after that it is not there."""
    message = await rows.message()
    answer = await api.delete(f"/v1/messages/{message.id}")
    assert (200, {"data": {"acknowledged": True, "status": "deleted"}}) == (answer.status_code, answer.json())
    assert 404 == (await api.delete(f"/v1/messages/{message.id}")).status_code
    assert 404 == (await api.delete("/v1/messages/nonsense")).status_code


async def test_what_is_being_sent_is_not_deleted(api: httpx.AsyncClient, rows: Rows) -> None:
    """422 that says why; a conflict would make the SDKs try for an hour."""
    message = await rows.message(channel="sms", status="calling")
    answer = await api.delete(f"/v1/messages/{message.id}")
    assert 422 == answer.status_code
    assert "still being sent" in answer.json()["message"]


async def test_delete_by_transaction(api: httpx.AsyncClient, rows: Rows) -> None:
    """204 without a body, also when there is nothing; a channel narrows."""
    message = await rows.message(transaction_id="tx")
    assert 204 == (await api.delete("/v1/messages/transaction/tx", params={"channel": "sms"})).status_code
    assert message == await messages.get(rows.scope, message.id)
    answer = await api.delete("/v1/messages/transaction/tx")
    assert (204, b"") == (answer.status_code, answer.content)
    assert None is await messages.get(rows.scope, message.id)
    assert 204 == (await api.delete("/v1/messages/transaction/tx")).status_code


async def test_the_other_environment_has_none_of_it(other: httpx.AsyncClient, rows: Rows) -> None:
    """Not in the list, not by id, not by transaction."""
    message = await rows.message(transaction_id="tx")
    assert [] == (await _list(other))["data"]
    assert 404 == (await other.delete(f"/v1/messages/{message.id}")).status_code
    assert 204 == (await other.delete("/v1/messages/transaction/tx")).status_code
    assert message == await messages.get(rows.scope, message.id)
