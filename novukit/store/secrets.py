"""``KeyRing``: what must stay secret is sealed before it is stored, and opened only where it is used.

AES-256-GCM. The associated data names the place of a secret (its column, environment and row), so that a sealed text
copied into another row does not open there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import DecryptionFailed, SettingsInvalid
from .database import Database

VERSION = "nk1"
KEY_BYTES = 32
NONCE_BYTES = 12

API_KEY = "api_key.secret"
INBOX_SECRET = "environment.inbox_secret"  # noqa: S105 - the name of a column
CREDENTIALS = "integration.credentials"
VARIABLE = "variable.value"
CONNECTION = "channel_connection.auth"

_HINT = "Make one with `novukit keys master`."

_SEALED = (
    (API_KEY, "novukit_api_key", "secret", "environment_id"),
    (INBOX_SECRET, "novukit_environment", "inbox_secret", "id"),
    (CREDENTIALS, "novukit_integration", "credentials", "environment_id"),
    (VARIABLE, "novukit_variable", "value", "environment_id"),
    (CONNECTION, "novukit_channel_connection", "auth", "environment_id"),
)
"""Every sealed column: its purpose, table, column, and the column that holds the environment."""


def generate_master_key() -> str:
    """A new master key, ``kid:base64``; the kid is taken from the key's own hash."""
    key = os.urandom(KEY_BYTES)
    return f"{_fingerprint(key)}:{base64.b64encode(key).decode()}"


class KeyRing:
    """The master keys, newest first: the first one seals, each of them opens.

    ``keys`` are texts ``kid:base64`` or bare base64 of 32 bytes. Raises :class:`SettingsInvalid` for anything else,
    without showing the key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SettingsInvalid("There is no master key.", hint=_HINT)
        named = [_parse(text, number) for number, text in enumerate(keys, 1)]
        self._ciphers = {kid: AESGCM(key) for kid, key in named}
        if len(self._ciphers) < len(named):
            raise SettingsInvalid("Two master keys have the same name.", hint="Give each key a name of its own.")
        self.kid = named[0][0]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._ciphers)})"

    def seal(self, plain: str, *context: str) -> str:
        """``plain`` sealed for the place that ``context`` names: ``nk1.<kid>.<nonce>.<ciphertext>``."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.kid].encrypt(nonce, plain.encode(), _bound(context))
        return ".".join((VERSION, self.kid, _text(nonce), _text(sealed)))

    def open(self, sealed: str, *context: str) -> str:
        """What was sealed for this ``context``.

        Raises :class:`DecryptionFailed` that names the key that is missing, or tells that the text is not from here.
        """
        kid, nonce, ciphertext = _parts(sealed)
        if kid not in self._ciphers:
            raise DecryptionFailed(
                f"A stored secret was sealed with master key {kid!r}, which is not at hand "
                f"(at hand: {', '.join(self._ciphers)}).",
                hint="Add the old key behind the new one in NOVUKIT_MASTER_KEY: new,old.",
            )
        try:
            return self._ciphers[kid].decrypt(nonce, ciphertext, _bound(context)).decode()
        except InvalidTag:
            raise DecryptionFailed(
                f"A stored secret does not open with master key {kid!r}: the row was changed, or another key has "
                "taken this name.",
                hint="Set the secret again, or restore the row and the key that it was sealed with.",
            ) from None

    def needs_rotation(self, sealed: str) -> bool:
        """Whether ``sealed`` was sealed with another key than the first one."""
        return _parts(sealed)[0] != self.kid


async def rotate(database: Database, ring: KeyRing) -> int:
    """Seal anew whatever an older key has sealed, in one transaction; return how many secrets that were.

    After it the old keys can go. Raises :class:`DecryptionFailed`, and changes nothing, when one of them is missing.
    """
    changed = 0
    async with database.transaction():
        for purpose, table, column, environment in _SEALED:
            rows = await database.fetch(
                f"select id, {environment} as environment, {column} as sealed from {table} "
                f"where {column} is not null order by id for update"
            )
            todo = [row for row in rows if ring.needs_rotation(row["sealed"])]
            for row in todo:
                place = (purpose, str(row["environment"]), str(row["id"]))
                fresh = ring.seal(ring.open(row["sealed"], *place), *place)
                await database.fetch(f"update {table} set {column} = $1 where id = $2", fresh, row["id"])
            changed += len(todo)
    return changed


def _parse(text: str, number: int) -> tuple[str, bytes]:
    kid, _, value = text.strip().rpartition(":")
    which = f"Master key {kid!r}" if kid else f"Master key {number}"
    if not all(c.isalnum() or c in "_.-" for c in kid):
        raise SettingsInvalid(f"The name of master key {number} may hold letters, digits, _ . and -.", hint=_HINT)
    try:
        key = base64.b64decode(value.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        raise SettingsInvalid(f"{which} is not base64.", hint=_HINT) from None
    if len(key) != KEY_BYTES:
        raise SettingsInvalid(f"{which} has {len(key)} bytes; a master key has {KEY_BYTES}.", hint=_HINT)
    return kid or _fingerprint(key), key


def _parts(sealed: str) -> tuple[str, bytes, bytes]:
    try:
        version, _, rest = sealed.partition(".")
        kid, nonce, ciphertext = rest.rsplit(".", 2)  # a key's name may hold dots
        if version != VERSION:
            raise ValueError
        return kid, base64.b64decode(nonce, validate=True), base64.b64decode(ciphertext, validate=True)
    except ValueError:
        raise DecryptionFailed("A stored secret is not in the form that novukit seals.") from None


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]


def _bound(context: Sequence[str]) -> bytes:
    return json.dumps(context).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
