"""The secret keys of the caller's environment: made, listed, revoked."""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody
from pydantic import Field

from ...errors import InvalidInput
from ...model import ApiKey
from ...store import keys
from ..auth import Here, TheCaller, TheDoorman, TheRuntime
from ..wire import Data, Timestamp, Wire, envelope, identify

TAGS = ["Keys"]


class NewKey(Wire):
    """What a key is made of."""

    name: Annotated[str, Field(min_length=1, max_length=100)]


class KeyOut(Wire):
    """A secret key. ``key``, the secret itself, is there only in the answer to its making."""

    id_: str
    name: str
    hint: str = Field(description="The last four characters of the secret.")
    created_at: Timestamp
    last_used_at: Timestamp | None = Field(description="Exact to a minute.")
    revoked_at: Timestamp | None
    key: str | None = None


@get("/v1/keys", summary="List secret keys", tags=TAGS)
async def list_all(here: Here) -> Data[list[KeyOut]]:
    """The keys of the environment, the revoked ones too, without their secrets."""
    return envelope([_out(key) for key in await keys.list_all(here)])


@post("/v1/keys", summary="Create a secret key", tags=TAGS)
async def create(data: JSONBody[NewKey], here: Here, runtime: TheRuntime) -> Data[KeyOut]:
    """Make one more key for the environment. Its secret is in this answer."""
    made, secret = await keys.create(here, runtime.secrets, data.name)
    return envelope(_out(made, secret))


@delete("/v1/keys/{key_id:str}", status_code=200, summary="Revoke a secret key", tags=TAGS)
async def revoke(key_id: FromPath[str], here: Here, caller: TheCaller, doorman: TheDoorman) -> Data[KeyOut]:
    """Take a key out of force, for ever. The one that the call is made with is refused: make another first."""
    found = identify(key_id, "key")
    if found == caller.key_id:
        raise InvalidInput(
            "This is the key that the call was made with.", hint="Make another key, and revoke this one with that."
        )
    revoked = await keys.revoke(here, found)
    doorman.forget(revoked.id)
    return envelope(_out(revoked))


def _out(key: ApiKey, secret: str | None = None) -> KeyOut:
    return KeyOut(
        id_=str(key.id),
        name=key.name,
        hint=key.hint,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        key=secret,
    )


HANDLERS = [list_all, create, revoke]
