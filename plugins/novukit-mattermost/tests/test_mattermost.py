"""Mattermost keeps what every chat provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from typing import Any

from novukit_mattermost import Mattermost

from novukit.providers import Outcome, Reason
from novukit.testing.conformance import Answer, ChatConformance, Documented, Vendor

SERVER = "mattermost's server, webhook.go: HandleIncomingWebhook"
LOGGED = "gitlab-org/gitlab#5037, an answer of a server"
UNSEEN = "known from other clients; not seen in the server's code"


def refused(status: int, word: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An error as a server answers it."""
    given: dict[str, Any] = {"source": SERVER, **more}
    body = {
        "id": f"web.incoming_webhook.{word}.app_error", "message": f"The words for {word}.", "detailed_error": "",
        "request_id": "ig3n7qehnbdwtpdcpezotaspwc", "status_code": status,
    }  # fmt: skip
    return Documented(name=f"{status} {word}", status=status, body=body, outcome=outcome, **given)


class TestMattermost(ChatConformance):
    """The kit, on Mattermost."""

    provider = Mattermost
    vendor = Vendor(
        credentials={},
        accepted=Answer(200, "ok"),
        content={"webhook_url": "https://mattermost.example/hooks/kit-generated-key"},
        fields={"webhook_url": "path", "body": "json:text", "channel": "json:channel"},
        overrides={
            "username": ("Kit", "json:username"),
            "props": ({"card": "More"}, "json:props"),
            "attachments": ([{"text": "Kit"}], "json:attachments"),
        },
        errors=[
            refused(400, "text", source=f"{LOGGED}; {SERVER}"),
            refused(400, "parse"),
            refused(400, "invalid", Outcome.RECIPIENT_GONE),
            refused(501, "disabled", Outcome.UNAVAILABLE),
            refused(403, "permissions", reason=Reason.CREDENTIALS_INVALID, source=UNSEEN, confirmed=False),
            refused(404, "channel", source=UNSEEN, confirmed=False),
        ],
    )

    async def test_without_a_channel_the_webhook_s_own_is_meant(self) -> None:
        """Nothing is said of one."""
        async with self.stage() as stage:
            request = await stage.sent(channel=None)
        assert request.json == {"text": "Body of the kit"}
