"""Discord keeps what every chat provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from novukit_discord import Discord

from novukit.providers import Outcome
from novukit.testing.conformance import Answer, ChatConformance, Documented, Nowhere, Vendor

WEBHOOK = "discord.com/developers: Webhook Resource"
LIMITS = "discord.com/developers: Rate Limits"
CODES = "discord/discord-api-docs: opcodes-and-status-codes.md, JSON Error Codes, as of 0581385"
DELETED = f"{CODES} (10015); the answer as logged in Reimnop/Discord4Fabric#81"


def limited(name: str, *, wait: float, header: str, shared: bool, everywhere: bool = False) -> Documented:
    """A rate limit as the page shows it."""
    return Documented(
        name=name,
        status=429,
        headers={"Retry-After": header, "X-RateLimit-Scope": "shared" if shared else "user"},
        body={"message": "You are being rate limited.", "retry_after": wait, "global": everywhere},
        outcome=Outcome.THROTTLED,
        retry_after=wait,
        source=LIMITS,
    )


class TestDiscord(ChatConformance):
    """The kit, on Discord."""

    provider = Discord
    vendor = Vendor(
        credentials={},
        accepted=Answer(200, {"id": "1234567890123456789", "content": "Body of the kit"}),
        message_id="1234567890123456789",
        content={"webhook_url": "https://discord.com/api/webhooks/223704706495545344/kit-token"},
        fields={
            "webhook_url": "path",
            "body": "json:content",
            "thread": "query:thread_id",
            "channel": Nowhere("a webhook belongs to one channel"),
        },
        overrides={
            "username": ("Kit", "json:username"),
            "embeds": ([{"title": "Kit"}], "json:embeds"),
            "allowed_mentions": ({"parse": ["users"]}, "json:allowed_mentions"),
        },
        errors=[
            limited("user limit", wait=64.57, header="65", shared=False),
            limited("resource limit", wait=1336.57, header="1337", shared=True),
            limited("global limit", wait=64.57, header="65", shared=False, everywhere=True),
            Documented(
                name="deleted webhook", status=404, body={"message": "Unknown Webhook", "code": 10015},
                outcome=Outcome.RECIPIENT_GONE, source=DELETED,
            ),
            Documented(
                name="invalid body", status=400, body={"message": "Invalid Form Body", "code": 50035}, source=CODES
            ),
        ],
    )  # fmt: skip
