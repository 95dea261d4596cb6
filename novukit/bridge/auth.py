"""Who may come in: ``Authorization: ApiKey <secret key>`` opens the environment that the key belongs to."""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias
from urllib.parse import parse_qsl
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from ..engine import Runtime
from ..errors import InvalidInput, Issue, Unauthorized
from ..model import Caller
from ..store import Database, Scope, environments, keys

Connection = ASGIConnection[Any, Any, Any, Any]

FRESH_SECONDS = 5.0
"""How long a key that was found is taken for good without a look at its row: a revoked key may work this much longer
in the other processes of a server."""
REPEATED_HEADER = "repeated_header"
"""The issue code of what is a 400."""

_MOST_KEPT = 1_000
_LONGEST_KEY = 200
_KEY_NAMES = {"apikey", "api_key", "api-key", "secretkey", "secret_key", "authorization", "access_token"}
_HOW = 'Send the header "Authorization: ApiKey <secret key>". `novukit keys` shows the keys of an environment.'


class Doorman:
    """Lets the bearers of secret keys in, and remembers them for a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, tuple[float, Caller]] = {}

    async def admit(self, connection: Connection) -> Caller:
        """Who calls. Raises :class:`Unauthorized`, with what to do."""
        _refuse_key_in_url(connection)
        return await self.caller(_key_of(connection))

    async def caller(self, secret: str) -> Caller:
        """Whom ``secret`` lets in. Raises :class:`Unauthorized`."""
        # By hash, so that no secret lies in memory longer than its request.
        mark = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
        now = self._database.clock.monotonic()
        if (kept := self._kept.get(mark)) and kept[0] > now:
            return kept[1]
        found = await keys.find(self._database, secret)
        if found is None:
            raise await self._refusal(secret)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[mark] = (now + FRESH_SECONDS, found)
        return found

    def forget(self, key_id: UUID) -> None:
        """Take a revoked key out of memory at once."""
        self._kept = {mark: kept for mark, kept in self._kept.items() if kept[1].key_id != key_id}

    def forget_environment(self, environment_id: UUID) -> None:
        """Take the keys of an environment that is gone out of memory at once."""
        self._kept = {mark: kept for mark, kept in self._kept.items() if kept[1].environment.id != environment_id}

    async def _refusal(self, secret: str) -> Unauthorized:
        if await environments.by_identifier(self._database, secret):
            return Unauthorized(
                "This is the public identifier of an environment (applicationIdentifier); calls to the server need a "
                "secret key.",
                hint="A secret key begins with nk_. `novukit keys` shows it.",
            )
        return Unauthorized("The secret key is not valid.", hint="Is it the key of this server, and not revoked?")


def _key_of(connection: Connection) -> str:
    sent = connection.headers.getall("authorization", [])
    if not sent:
        raise Unauthorized("The call carries no secret key.", hint=_HOW)
    if len(sent) > 1:
        message = "The header Authorization was sent twice."
        raise InvalidInput(message, hint=_HOW, issues=[Issue("", REPEATED_HEADER, message)])
    scheme, _, key = sent[0].strip().partition(" ")
    key = key.strip()
    if scheme.lower() != "apikey":
        if scheme.startswith(keys.PREFIX):
            raise Unauthorized("The header Authorization holds a key without its scheme.", hint=_HOW)
        raise Unauthorized(
            "The header Authorization has another scheme than ApiKey.", hint=f"Use ApiKey, not Bearer or Basic. {_HOW}"
        )
    if not key:
        raise Unauthorized("The secret key is empty.", hint=_HOW)
    if len(key) > _LONGEST_KEY:
        raise Unauthorized("The secret key is not valid: it is too long to be one.", hint=_HOW)
    if key != key.strip("\"'<>\\ \t") or key.endswith((r"\n", r"\r", "%0A", "%0a")):
        raise Unauthorized(
            "The secret key has characters around it that do not belong to it, such as quotes or a line end.",
            hint="Send the key alone.",
        )
    return key


def _refuse_key_in_url(connection: Connection) -> None:
    query = connection.scope["query_string"]
    if not query:
        return
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name.lower() in _KEY_NAMES or value.startswith(keys.PREFIX):
            raise Unauthorized(
                "There is a secret key in the URL. URLs are written to logs: never put keys there.",
                hint=f"Revoke that key and make another. {_HOW}",
            )


# What handlers ask for, by these very names. Litestar keeps the name `scope` for itself, hence `here`.
Here: TypeAlias = SkipValidation[NamedDependency[Scope]]
"""``here: Here``: the walls of the caller's environment; the first argument of the store's functions."""
TheCaller: TypeAlias = SkipValidation[NamedDependency[Caller]]
"""``caller: TheCaller``: the environment, and the key that opened it."""
TheRuntime: TypeAlias = SkipValidation[NamedDependency[Runtime]]
"""``runtime: TheRuntime``: what the engine's verbs take."""
TheDoorman: TypeAlias = SkipValidation[NamedDependency[Doorman]]
"""``doorman: TheDoorman``: to forget a key that was revoked."""
