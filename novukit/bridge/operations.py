"""The operations of Novu's server SDKs, all 149 of novu-py 3.19.0 (OpenAPI 3.18.1), and what novukit does with each.

Tests hold the table against the SDK's own code and against the routes; docs/novu-compatibility.md is written from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Tier(StrEnum):
    """How much an application needs an operation."""

    CORE = "C1"
    MORE = "C2"
    USEFUL = "U"
    SPECIAL = "S"

    @property
    def sentence(self) -> str:
        """What belongs to it."""
        return _TIERS[self]


_TIERS = {
    Tier.CORE: "Core: what nearly every application calls",
    Tier.MORE: "Core, second part: what many call",
    Tier.USEFUL: "Useful: what some call, and what was superseded",
    Tier.SPECIAL: "Special: what belongs to Novu's own cloud and dashboard",
}


class State(StrEnum):
    """What novukit does with an operation."""

    WORKS = "works"
    PARTLY = "partly"
    NOT_HERE = "not here"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the SDKs.

    ``call`` is written as in Python, ``novu.subscribers.create`` without the first word; ``statuses`` are those that
    the SDKs take for success; ``note`` says in a sentence what differs, or why it is not here.
    """

    call: str
    method: Method
    path: str
    statuses: tuple[int, ...]
    tier: Tier
    state: State = State.WORKS
    note: str = ""

    @property
    def noun(self) -> str:
        """What it is about: ``subscribers.notifications``; of the four verbs without a noun, ``events``."""
        return self.call.rpartition(".")[0] or "events"


@dataclass(frozen=True, slots=True)
class _Row:
    verb: str
    method: Method
    path: str
    status: int | tuple[int, ...]
    tier: Tier
    state: State
    note: str


def _works(verb: str, method: Method, path: str, status: int | tuple[int, ...], tier: Tier) -> _Row:
    return _Row(verb, method, path, status, tier, State.WORKS, "")


def _partly(verb: str, method: Method, path: str, status: int | tuple[int, ...], tier: Tier, note: str) -> _Row:
    return _Row(verb, method, path, status, tier, State.PARTLY, note)


def _absent(verb: str, method: Method, path: str, status: int, tier: Tier, note: str) -> _Row:
    return _Row(verb, method, path, status, tier, State.NOT_HERE, note)


def _of(noun: str, base: str, *rows: _Row) -> tuple[Operation, ...]:
    """The operations of one noun. ``…`` in a row's path stands for ``base``, with which most begin."""
    return tuple(
        Operation(
            call=f"{noun}.{row.verb}" if noun else row.verb,
            method=row.method,
            path=row.path.replace("…", base),
            statuses=(row.status,) if isinstance(row.status, int) else row.status,
            tier=row.tier,
            state=row.state,
            note=row.note,
        )
        for row in rows
    )


C1, C2, U, S = Tier
_TRIGGER = (
    "Controls, an agentId and the bridgeUrl of any application but the environment's own are refused: novukit runs the "
    "workflows that were synced."
)
_FROM_CODE = "Workflows are code here: write them in Python and run `novukit sync`."
_SWITCH = "Only `active` can be changed; all else is declared in the workflow's code and comes with `novukit sync`."
_OAUTH = "novukit installs no chat apps by OAuth; create the channel connection or endpoint with the token you have."
_VENDOR = "novukit does not configure the vendor's side; `docs/delivery-events.md` says what to enter there."
_AGENTS = "novukit has no conversational agents."
_DOMAINS = "novukit receives no e-mail, so there are no inbound domains."
_BOTH = "The SDK's own method fails before it sends anything (novu-py 3.19.0); the route works for other clients."
_SUBSCRIBER = "/v2/subscribers/{subscriberId}"
_LEGACY = "/v1/subscribers/{subscriberId}"

OPERATIONS: tuple[Operation, ...] = (
    *_of(
        "", "/v1/events/trigger",
        _partly("trigger", "POST", "…", 201, C1, _TRIGGER),
        _partly("trigger_bulk", "POST", "…/bulk", 201, C1, _TRIGGER),
        _partly("trigger_broadcast", "POST", "…/broadcast", (200, 201), C1, _TRIGGER),
        _works("cancel", "DELETE", "…/{transactionId}", 200, C1),
    ),
    *_of(
        "subscribers", "/v2/subscribers",
        _works("search", "GET", "…", 200, C1),
        _works("create", "POST", "…", 201, C1),
        _works("create_bulk", "POST", "/v1/subscribers/bulk", 201, C1),
        _works("retrieve", "GET", "…/{subscriberId}", 200, C1),
        _works("patch", "PATCH", "…/{subscriberId}", 200, C1),
        _works("delete", "DELETE", "…/{subscriberId}", 200, C1),
    ),
    *_of(
        "subscribers.credentials", f"{_LEGACY}/credentials",
        _works("update", "PUT", "…", 200, C1),
        _works("append", "PATCH", "…", 200, C1),
        _works("delete", "DELETE", "…/{providerId}", 204, C1),
    ),
    *_of(
        "subscribers.properties", _LEGACY,
        _works("update_online_flag", "PATCH", "…/online-status", 200, C2),
    ),
    *_of(
        "subscribers.preferences", f"{_SUBSCRIBER}/preferences",
        _works("list", "GET", "…", 200, C1),
        _works("update", "PATCH", "…", 200, C1),
        _works("bulk_update", "PATCH", "…/bulk", 200, C1),
    ),
    *_of(
        "subscribers.topics", _SUBSCRIBER,
        _works("list", "GET", "…/subscriptions", 200, C1),
    ),
    *_of(
        "subscribers.notifications", f"{_SUBSCRIBER}/notifications",
        _works("list", "GET", "…", 200, C1),
        _works("count", "GET", "…/count", 200, C1),
        _works("mark_as_read", "PATCH", "…/{notificationId}/read", 200, C1),
        _works("mark_as_unread", "PATCH", "…/{notificationId}/unread", 200, C1),
        _works("archive", "PATCH", "…/{notificationId}/archive", 200, C1),
        _works("unarchive", "PATCH", "…/{notificationId}/unarchive", 200, C1),
        _works("snooze", "PATCH", "…/{notificationId}/snooze", 200, C2),
        _works("unsnooze", "PATCH", "…/{notificationId}/unsnooze", 200, C2),
        _works("delete", "DELETE", "…/{notificationId}", 204, C1),
        _works("complete_action", "PATCH", "…/{notificationId}/actions/{actionType}/complete", 200, C2),
        _works("revert_action", "PATCH", "…/{notificationId}/actions/{actionType}/revert", 200, C2),
        _works("mark_all_as_read", "POST", "…/read", 204, C2),
        _works("mark_as_seen", "POST", "…/seen", 204, C2),
        _works("archive_all", "POST", "…/archive", 204, C2),
        _works("archive_all_read", "POST", "…/read-archive", 204, C2),
        _works("delete_all", "POST", "…/delete", 204, C2),
        _partly(
            "feed", "GET", f"{_LEGACY}/notifications/feed", 200, U,
            "A filter by `payload` is refused; `subscribers.notifications.list` filters by `data`.",
        ),
        _works("unseen_count", "GET", f"{_LEGACY}/notifications/unseen", 200, U),
    ),
    *_of(
        "subscribers.messages", f"{_LEGACY}/messages",
        _works("update_as_seen", "POST", "…/{messageId}/actions/{type}", 201, U),
        _partly("mark_all", "POST", "…/mark-all", 201, U, "A feedIdentifier is refused: a subscriber has one feed."),
        _works("mark_all_as", "POST", "…/mark-as", 201, U),
    ),
    *_of(
        "topics", "/v2/topics",
        _works("list", "GET", "…", 200, C1),
        _works("create", "POST", "…", (200, 201), C1),
        _works("get", "GET", "…/{topicKey}", 200, C1),
        _works("update", "PATCH", "…/{topicKey}", 200, C1),
        _works("delete", "DELETE", "…/{topicKey}", 200, C1),
    ),
    *_of(
        "topics.subscriptions", "/v2/topics/{topicKey}/subscriptions",
        _works("list", "GET", "…", 200, C1),
        _works("create", "POST", "…", 201, C1),
        _works("delete", "DELETE", "…", 200, C1),
        _works("get_subscription", "GET", "…/{identifier}", 200, C2),
        _works("update", "PATCH", "…/{identifier}", 200, C2),
    ),
    *_of(
        "topics.subscribers", "/v1/topics/{topicKey}/subscribers",
        _works("retrieve", "GET", "…/{externalSubscriberId}", 200, U),
    ),
    *_of(
        "integrations", "/v1/integrations",
        _partly("list", "GET", "…", 200, C1, "Those of the key's own environment; Novu lists all of the organization."),
        _partly("list_active", "GET", "…/active", 200, C1, "Those of the key's own environment, as above."),
        _works("create", "POST", "…", 201, C1),
        _works("update", "PUT", "…/{integrationId}", 200, C1),
        _works("delete", "DELETE", "…/{integrationId}", 200, C1),
        _works("set_as_primary", "POST", "…/{integrationId}/set-primary", 200, C1),
        _absent("generate_connect_o_auth_url", "POST", "…/channel-connections/oauth", 201, U, _OAUTH),
        _absent("generate_link_user_o_auth_url", "POST", "…/channel-endpoints/oauth", 201, U, _OAUTH),
        _absent("link_channel_endpoint", "POST", "…/channel-endpoints/link", 200, U, _OAUTH),
        _absent("generate_chat_o_auth_url", "POST", "…/chat/oauth", 201, S, _OAUTH),
        _absent("create_mobile_link", "POST", "…/{integrationIdentifier}/mobile-link", 200, S, _VENDOR),
        _absent(
            "integrations_controller_auto_configure_integration", "POST", "…/{integrationId}/auto-configure", 200, S,
            _VENDOR,
        ),
        _absent(
            "integrations_controller_configure_integration_webhook", "POST",
            "…/{integrationIdentifier}/webhook/configure", 200, S, _VENDOR,
        ),
    ),
    *_of(
        "messages", "/v1/messages",
        _works("retrieve", "GET", "…", 200, C1),
        _works("delete", "DELETE", "…/{messageId}", 200, C1),
        _works("delete_by_transaction_id", "DELETE", "…/transaction/{transactionId}", 204, C1),
    ),
    *_of(
        "notifications", "/v1/notifications",
        _works("list", "GET", "…", 200, C1),
        _works("retrieve", "GET", "…/{notificationId}", 200, C1),
    ),
    *_of(
        "activity", "/v2/inbound-webhooks/delivery-providers",
        _works("track", "POST", "…/{environmentId}/{integrationId}", 200, C2),
    ),
    *_of(
        "workflows", "/v2/workflows",
        _works("list", "GET", "…", 200, C1),
        _works("get", "GET", "…/{workflowId}", 200, C1),
        _partly("patch", "PATCH", "…/{workflowId}", 200, C2, _SWITCH),
        _works("delete", "DELETE", "…/{workflowId}", 204, C2),
        _works("sync", "PUT", "…/{workflowId}/sync", 200, C2),
        _absent("create", "POST", "…", 201, U, _FROM_CODE),
        _absent("update", "PUT", "…/{workflowId}", 200, U, _FROM_CODE),
    ),
    *_of(
        "workflows.steps", "/v2/workflows/{workflowId}",
        _works("retrieve", "GET", "…/steps/{stepId}", 200, U),
        _works("generate_preview", "POST", "…/step/{stepId}/preview", 201, U),
    ),
    *_of(
        "environments", "/v1/environments",
        _works("list", "GET", "…", 200, C1),
        _works("create", "POST", "…", 201, C1),
        _works("update", "PUT", "…/{environmentId}", 200, C2),
        _works("delete", "DELETE", "…/{environmentId}", 200, U),
        _works("get_tags", "GET", "/v2/environments/{environmentId}/tags", 200, U),
        _works("diff", "POST", "/v2/environments/{targetEnvironmentId}/diff", 200, C2),
        _works("publish", "POST", "/v2/environments/{targetEnvironmentId}/publish", 200, C2),
    ),
    *_of(
        "environment_variables", "/v1/environment-variables",
        _works("list", "GET", "…", 200, U),
        _works("create", "POST", "…", 200, U),
        _works("retrieve", "GET", "…/{variableKey}", 200, U),
        _works("update", "PATCH", "…/{variableKey}", 200, U),
        _works("delete", "DELETE", "…/{variableKey}", 204, U),
        _works("usage", "GET", "…/{variableKey}/usage", 200, U),
    ),
    *_of(
        "contexts", "/v2/contexts",
        _works("create", "POST", "…", 201, C2),
        _works("list", "GET", "…", 200, C2),
        _works("retrieve", "GET", "…/{type}/{id}", 200, C2),
        _works("update", "PATCH", "…/{type}/{id}", 200, C2),
        _works("delete", "DELETE", "…/{type}/{id}", 204, C2),
    ),
    *_of(
        "layouts", "/v2/layouts",
        _works("create", "POST", "…", 201, C2),
        _works("list", "GET", "…", 200, C2),
        _works("retrieve", "GET", "…/{layoutId}", 200, C2),
        _works("update", "PUT", "…/{layoutId}", 200, C2),
        _works("delete", "DELETE", "…/{layoutId}", 204, C2),
        _works("generate_preview", "POST", "…/{layoutId}/preview", 201, U),
        _works("usage", "GET", "…/{layoutId}/usage", 200, U),
        _works("duplicate", "POST", "…/{layoutId}/duplicate", 201, S),
    ),
    *_of(
        "translations", "/v2/translations",
        _works("create", "POST", "…", 200, C2),
        _works("retrieve", "GET", "…/{resourceType}/{resourceId}/{locale}", 200, C2),
        _works("delete", "DELETE", "…/{resourceType}/{resourceId}/{locale}", 204, C2),
        _partly("upload", "POST", "…/upload", 200, U, _BOTH),
    ),
    *_of(
        "translations.groups", "/v2/translations",
        _works("retrieve", "GET", "…/group/{resourceType}/{resourceId}", 200, U),
        _works("delete", "DELETE", "…/{resourceType}/{resourceId}", 204, U),
    ),
    *_of(
        "translations.master", "/v2/translations/master-json",
        _works("retrieve", "GET", "…", 200, U),
        _works("import_master_json", "POST", "…", 200, U),
        _partly("upload", "POST", "…/upload", 200, U, _BOTH),
    ),
    *_of(
        "channel_connections", "/v1/channel-connections",
        _works("list", "GET", "…", 200, C2),
        _works("create", "POST", "…", 201, C2),
        _works("retrieve", "GET", "…/{identifier}", 200, C2),
        _works("update", "PATCH", "…/{identifier}", 200, C2),
        _works("delete", "DELETE", "…/{identifier}", 204, C2),
    ),
    *_of(
        "channel_endpoints", "/v1/channel-endpoints",
        _works("list", "GET", "…", 200, C2),
        _works("create", "POST", "…", 201, C2),
        _works("retrieve", "GET", "…/{identifier}", 200, C2),
        _works("update", "PATCH", "…/{identifier}", 200, C2),
        _works("delete", "DELETE", "…/{identifier}", 204, C2),
    ),
    *_of(
        "agents", "/v1/agents",
        _absent("create", "POST", "…", 201, S, _AGENTS),
        _absent("list", "GET", "…", 200, S, _AGENTS),
        _absent("retrieve", "GET", "…/{identifier}", 200, S, _AGENTS),
        _absent("update", "PATCH", "…/{identifier}", 200, S, _AGENTS),
        _absent("delete", "DELETE", "…/{identifier}", 204, S, _AGENTS),
        _absent("send_reply", "POST", "…/{agentId}/reply", 200, S, _AGENTS),
        _absent("update_bridge", "PUT", "…/{identifier}/bridge", 200, S, _AGENTS),
    ),
    *_of(
        "agents.integrations", "/v1/agents/{identifier}/integrations",
        _absent("create", "POST", "…", 201, S, _AGENTS),
        _absent("list", "GET", "…", 200, S, _AGENTS),
        _absent("update", "PATCH", "…/{agentIntegrationId}", 200, S, _AGENTS),
        _absent("delete", "DELETE", "…/{agentIntegrationId}", 204, S, _AGENTS),
    ),
    *_of(
        "domains", "/v1/domains",
        _absent("list", "GET", "…", 200, S, _DOMAINS),
        _absent("create", "POST", "…", 201, S, _DOMAINS),
        _absent("retrieve", "GET", "…/{domain}", 200, S, _DOMAINS),
        _absent("update", "PATCH", "…/{domain}", 200, S, _DOMAINS),
        _absent("delete", "DELETE", "…/{domain}", 204, S, _DOMAINS),
        _absent("diagnose", "POST", "…/{domain}/diagnose", 200, S, _DOMAINS),
        _absent("verify", "POST", "…/{domain}/verify", 200, S, _DOMAINS),
    ),
    *_of(
        "domains.auto_configure", "/v1/domains/{domain}/auto-configure",
        _absent("retrieve", "GET", "…", 200, S, _DOMAINS),
        _absent("start", "POST", "…/start", 201, S, _DOMAINS),
    ),
    *_of(
        "domains.routes", "/v1/domains/{domain}/routes",
        _absent("list", "GET", "…", 200, S, _DOMAINS),
        _absent("create", "POST", "…", 201, S, _DOMAINS),
        _absent("retrieve", "GET", "…/{address}", 200, S, _DOMAINS),
        _absent("update", "PATCH", "…/{address}", 200, S, _DOMAINS),
        _absent("delete", "DELETE", "…/{address}", 204, S, _DOMAINS),
        _absent("test", "POST", "…/{address}/test", 200, S, _DOMAINS),
    ),
)  # fmt: skip
"""Every operation, the most used nouns first."""
