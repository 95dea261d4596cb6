"""Rocket.Chat keeps what every chat provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from typing import Any

from novukit_rocket_chat import RocketChat

from novukit.providers import Outcome, Reason
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Vendor

UNSEEN = "known from clients; not seen on a page of Rocket.Chat's"


def refused(status: int, error: str, outcome: Outcome = Outcome.REJECTED, **more: Any) -> Documented:
    """An error as Rocket.Chat answers it."""
    body = {"success": False, "error": f"The words for it. [{error}]", "errorType": error}
    return Documented(
        name=f"{status} {error}", status=status, body=body, outcome=outcome, source=UNSEEN, confirmed=False, **more
    )


class TestRocketChat(ChatConformance):
    """The kit, on Rocket.Chat; the answer is that of «Send Your First Message in 5 Minutes», 2026-10-05."""

    provider = RocketChat
    vendor = Vendor(
        credentials={"baseUrl": "https://chat.example", "user": "y65tAmHs93aDChMWu", "token": "kit-rocket-token-0001"},
        accepted=Answer(200, {"ts": 1481748965123, "message": {"_id": "jC9chsFddTvsbFQG7"}, "success": True}),
        message_id="jC9chsFddTvsbFQG7",
        fields={
            "channel": "json:channel",
            "body": "json:text",
            "thread": "json:tmid",
            "webhook_url": Nowhere("the workspace is the integration's, and the room is the channel"),
        },
        overrides={"alias": ("Kit", "json:alias"), "attachments": ([{"text": "Kit"}], "json:attachments")},
        unreadable=Outcome.UNKNOWN,
        check=Answer(200, {"_id": "y65tAmHs93aDChMWu", "username": "kit", "success": True}),
        errors=[
            refused(400, "error-invalid-room"),
            refused(400, "error-not-allowed"),
            refused(400, "error-too-many-requests", Outcome.THROTTLED),
            refused(429, "error-too-many-requests", Outcome.THROTTLED),
            refused(200, "error-room-archived"),
            Documented(
                name="401",
                status=401,
                body={"status": "error", "message": "You must be logged in to do this."},
                reason=Reason.CREDENTIALS_INVALID,
                source=UNSEEN,
                confirmed=False,
            ),
        ],
    )

    async def test_user_and_token_travel_in_headers(self) -> None:
        """To the integration's workspace, also where the subscriber has a URL."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert request.path == "/api/v1/chat.postMessage"
        assert request.headers["x-user-id"] == "y65tAmHs93aDChMWu"
        assert request.headers["x-auth-token"] == "kit-rocket-token-0001"
