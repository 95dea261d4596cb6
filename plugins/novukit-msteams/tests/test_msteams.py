"""Teams keeps what every chat provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from typing import Any

import pytest
from novukit_msteams import LARGEST, Teams, TeamsCredentials

from novukit.providers import ChatContent, HttpClient, Outcome, Reason, deliver
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Vendor

CARDS = "MicrosoftDocs/msteams-docs: Create and send messages (connectors-using)"
STATUS = "no page of Microsoft's seen that lists the answers of a Workflows webhook"
CARD = "json:attachments[0].content"


def answered(status: int, code: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An answer of the workflow's trigger, in the shape that Azure's services have for errors."""
    body = {"error": {"code": code, "message": f"The words for {code}."}}
    return Documented(
        name=f"{status} {code}", status=status, body=body, outcome=outcome, source=STATUS, confirmed=False, **more
    )


class TestTeams(ChatConformance):
    """The kit, on Workflows webhooks."""

    provider = Teams
    vendor = Vendor(
        credentials={"secretKey": "kit-client-secret"},
        accepted=Answer(202),
        content={"webhook_url": "https://prod-11.southeastasia.logic.azure.com:443/workflows/7e2c/triggers/manual/kit"},
        fields={
            "webhook_url": "path",
            "body": f"{CARD}.body[0].text",
            "channel": Nowhere("a workflow posts to one channel or chat"),
        },
        overrides={
            "actions": ([{"type": "Action.OpenUrl", "title": "Kit", "url": "https://kit.example"}], f"{CARD}.actions"),
            "msteams": ({"width": "Full"}, f"{CARD}.msteams"),
            "body": (
                [{"type": "TextBlock", "text": "More of the kit"}],
                lambda request: request.json["attachments"][0]["content"]["body"][1:],
            ),
            "version": ("1.5", f"{CARD}.version"),
        },
        errors=[
            answered(400, "TriggerInputSchemaMismatch"),
            answered(401, "DirectApiAuthorizationRequired", reason=Reason.CREDENTIALS_INVALID),
            answered(404, "WorkflowNotFound", Outcome.RECIPIENT_GONE),
            answered(413, "RequestEntityTooLarge"),
            answered(
                429, "TooManyRequests", Outcome.THROTTLED, headers={"Retry-After": "12"}, retry_after=12.0
            ),
        ],
    )  # fmt: skip

    async def test_the_envelope_is_the_documented_one(self) -> None:
        """A message with one Adaptive Card. Source: «Send Adaptive Cards using an Incoming Webhook»."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert request.json == {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": None,
                    "content": {
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "type": "AdaptiveCard",
                        "version": "1.2",
                        "body": [{"type": "TextBlock", "text": "Body of the kit", "wrap": True}],
                    },
                }
            ],
        }, CARDS

    async def test_the_signature_in_the_url_is_kept(self) -> None:
        """A workflow's URL has its parameters in the query; without them it refuses."""
        async with self.stage() as stage:
            content = ChatContent(
                webhook_url=f"{stage.server.url}/invoke?api-version=1&sp=%2Ftriggers&sig=a-b_c", body="x"
            )
            assert (await deliver(stage.provider, content, "key")).accepted
            assert stage.server.sent[0].target == "/invoke?api-version=1&sp=%2Ftriggers&sig=a-b_c"

    @pytest.mark.parametrize("name", ["@type", "@context", "sections", "themeColor", "potentialAction"])
    async def test_a_message_card_is_refused(self, name: str) -> None:
        """Workflows show nothing of it, and nobody would know."""
        async with self.stage() as stage:
            delivery = await stage.deliver(overrides={name: "MessageCard"})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
        assert "MessageCard" in delivery.detail

    async def test_a_card_larger_than_28_kb_is_refused(self) -> None:
        """As it travels, with all that the overrides add."""
        async with self.stage() as stage:
            delivery = await stage.deliver(body='"' * (LARGEST // 2))
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
        assert str(LARGEST) in delivery.detail

    async def test_a_card_that_cannot_be_written_is_refused(self) -> None:
        """Half of a surrogate pair in the overrides is no fault of the plugin."""
        async with self.stage() as stage:
            delivery = await stage.deliver(overrides={"speak": "\ud800"})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)


@pytest.mark.parametrize("host", ["kit.webhook.office.com", "outlook.office.com"])
@pytest.mark.anyio
async def test_an_office_365_connector_is_refused(host: str, anyio_backend: str) -> None:
    """It answers 200 also when it throttles or refuses."""
    content = ChatContent(webhook_url=f"https://{host}/webhookb2/kit", body="hi")
    delivery = await deliver(Teams(TeamsCredentials(), HttpClient()), content, "key")
    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.CONTENT_INVALID)
    assert "connector" in delivery.detail
