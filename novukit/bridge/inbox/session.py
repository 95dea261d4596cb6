"""``POST /v1/inbox/session``: an inbox is opened, for a subscriber whom the application vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from litestar import post
from litestar.params import JSONBody
from pydantic import Field
from pydantic_core import PydanticCustomError

from ...engine import Runtime
from ...errors import Issue, SessionRefused
from ...model import (
    Email,
    Environment,
    Locale,
    Phone,
    StoredSubscriber,
    Subscriber,
    SubscriberData,
    SubscriberId,
    schedule,
)
from ...model.context import keys_of, listed
from ...model.subscriber import known_zone
from ...store import Scope, contexts, environments, keys, messages, preferences, sessions, subscribers
from ..auth import TheRuntime
from ..contexts import read_context
from ..feed import LONGEST_SNOOZE
from ..issues import refusal
from ..wire import Data, Wire, envelope
from . import hashes, token
from .token import GOOD_FOR, Session

TAGS = ["Inbox"]
Hash = Annotated[str, Field(max_length=200)]


class SubscriberIn(Wire):
    """Whose inbox it is, and what the page tells of them."""

    subscriber_id: SubscriberId
    first_name: str | None = Field(default=None, max_length=255)
    last_name: str | None = Field(default=None, max_length=255)
    email: Email | None = None
    phone: Phone | None = None
    avatar: str | None = Field(default=None, max_length=2048)
    locale: Locale | None = None
    timezone: str | None = None
    data: SubscriberData | None = None

    def subscriber(self) -> Subscriber:
        """The subscriber. A time zone that nobody knows is left out: it is the browser's word, not the author's."""
        return Subscriber(**self.model_dump(exclude={"timezone"}), timezone=_zone(self.timezone))


class SessionIn(Wire):
    """Which inbox is to be opened. ``subscriberId`` alone is how older clients name the subscriber."""

    application_identifier: str = Field(min_length=1, max_length=255)
    subscriber: SubscriberIn | SubscriberId | None = None
    subscriber_id: SubscriberId | None = None
    subscriber_hash: Hash | None = None
    context: Any = None
    context_hash: Hash | None = None
    default_schedule: dict[str, Any] | None = None


class UnreadOut(Wire):
    """How many notifications wait to be read, at most 99, and of which severity."""

    total: int
    severity: dict[str, int]


class SessionOut(Wire):
    """An open inbox: its token, and what its bell shows."""

    token: str
    unread_count: UnreadOut
    total_unread_count: int
    remove_novu_branding: bool = True
    is_development_mode: bool
    max_snooze_duration_hours: int
    application_identifier: str
    context_keys: list[str]


@post("/v1/inbox/session", status_code=201, summary="Open an inbox", tags=TAGS, security=[{}])
async def open_session(runtime: TheRuntime, data: JSONBody[SessionIn]) -> Data[SessionOut]:
    """Open the inbox of a subscriber, who is made if they are new. What is told of them is kept if the hash fits."""
    told = _told(data)
    wrong: list[Issue] = []
    context = read_context(data.context, "/context", wrong)
    if data.default_schedule is not None:
        wrong += schedule.check(data.default_schedule, "/defaultSchedule")
    if wrong:
        raise refusal(wrong)
    environment = await environments.by_identifier(runtime.database, data.application_identifier)
    if environment is None:
        raise _refused("/applicationIdentifier", "unknown_application", "is not the identifier of an environment here")
    scope = runtime.scope(environment.id)
    proven = await _proven(runtime, environment, told.subscriber_id, data)
    subscriber = await _subscriber(scope, told, proven=proven)
    if context:
        await contexts.see(scope, context)
    if data.default_schedule is not None:
        await _give_schedule(scope, subscriber.id, data.default_schedule)
    keys_of_context = keys_of(context)
    now = scope.now()
    session = Session(environment.id, subscriber.id, subscriber.subscriber_id, keys_of_context, now + GOOD_FOR)
    unread = await messages.unread(scope, subscriber.id, context_keys=keys_of_context)
    total = sum(unread.values())
    return envelope(
        SessionOut(
            token=token.make(session, await sessions.secret(scope, runtime.secrets), now=now),
            unread_count=UnreadOut(
                total=total, severity={one: unread.get(one, 0) for one in ("high", "medium", "low", "none")}
            ),
            total_unread_count=total,
            is_development_mode=environment.type == "dev",
            max_snooze_duration_hours=int(LONGEST_SNOOZE.total_seconds() // 3600),
            application_identifier=environment.identifier,
            context_keys=listed(keys_of_context),
        )
    )


def _told(data: SessionIn) -> Subscriber:
    if (data.subscriber is None) == (data.subscriber_id is None):
        raise refusal([Issue("/subscriber", "required", "needs either subscriber or subscriberId")])
    if isinstance(data.subscriber, SubscriberIn):
        return data.subscriber.subscriber()
    return Subscriber(subscriber_id=data.subscriber or data.subscriber_id or "")


def needs_hash(runtime: Runtime, environment: Environment) -> bool:
    """Whether a session of this environment must be vouched for."""
    asked = runtime.settings.inbox.require_hmac
    return environment.type != "dev" if asked is None else asked


async def _proven(runtime: Runtime, environment: Environment, subscriber_id: str, data: SessionIn) -> bool:
    """Whether the subscriber is vouched for. Raises :class:`SessionRefused` for a wrong or missing hash.

    A context must be vouched for wherever a subscriber must: by a context one chooses what one sees.
    """
    demanded = needs_hash(runtime, environment)
    known = [secret for _, secret in await keys.reveal(runtime.scope(environment.id), runtime.secrets)]
    if data.context:
        try:
            fitting = [hashes.of_context(secret, data.context) for secret in known]
        except ValueError:
            raise _refused("/context", "float", "must have whole numbers only: others have no hash") from None
        _check(data.context_hash, fitting, "/contextHash", "this context", demanded=demanded)
    fitting = [hashes.of_subscriber(secret, subscriber_id) for secret in known]
    return _check(data.subscriber_hash, fitting, "/subscriberHash", "this subscriber id", demanded=demanded)


def _check(given: str | None, fitting: Sequence[str], path: str, what: str, *, demanded: bool) -> bool:
    """Whether a hash is given; if so it must fit, and it must be given if it is demanded."""
    if given is None:
        if demanded:
            raise _refused(path, "hash_missing", f"is required here: a valid HMAC hash of {what}")
        return False
    if not hashes.same(fitting, given):
        raise _refused(path, "hash_wrong", f"is not a valid HMAC hash of {what}")
    return True


async def _subscriber(scope: Scope, told: Subscriber, *, proven: bool) -> StoredSubscriber:
    """The subscriber, made if they are new; what is told of one who is there counts only if it is vouched for."""
    if proven:
        await subscribers.upsert_many(scope, [told])
    name = told.subscriber_id
    found = await subscribers.get(scope, name) or await subscribers.create(scope, told)
    found = found or await subscribers.get(scope, name)
    if found is None:
        raise _refused("/subscriber", "deleted", "was deleted at this very moment")
    return found


async def _give_schedule(scope: Scope, subscriber_uuid: UUID, wanted: dict[str, Any]) -> None:
    """Keep the schedule that the page proposes, unless the subscriber has one."""
    chosen = await preferences.all_of(scope, subscriber_uuid)
    if not any(one.workflow_id is None and one.schedule is not None for one in chosen):
        await preferences.set(scope, subscriber_uuid, None, {}, wanted)


def _zone(name: str | None) -> str | None:
    try:
        return known_zone(name) if name else None
    except PydanticCustomError:
        return None


def _refused(path: str, code: str, message: str) -> SessionRefused:
    field = path.removeprefix("/")
    hint = f"See docs/inbox.md: {field} is made on your server, with a secret key." if "Hash" in field else None
    return SessionRefused(f"{field} {message}.", hint=hint, issues=[Issue(path, code, message, hint)])


HANDLERS: list[Any] = [open_session]
