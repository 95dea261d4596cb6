"""Sealing: only the right key opens, only in the right place, and keys can be changed."""

from __future__ import annotations

import base64

import pytest

from novukit.errors import DecryptionFailed, SettingsInvalid
from novukit.settings import keys as master_keys
from novukit.store import Database, Scope, environments, integrations, keys, organizations, sessions
from novukit.store.secrets import KeyRing, generate_master_key, rotate

pytestmark = pytest.mark.anyio

PLACE = ("api_key.secret", "environment", "row")


def test_what_was_sealed_opens() -> None:
    """In the place that it was sealed for."""
    ring = KeyRing([generate_master_key()])

    assert "hemlig 🦉" == ring.open(ring.seal("hemlig 🦉", *PLACE), *PLACE)


def test_the_same_text_is_sealed_differently_each_time() -> None:
    """One cannot see from the database that two secrets are the same."""
    ring = KeyRing([generate_master_key()])

    assert ring.seal("a", *PLACE) != ring.seal("a", *PLACE)


def test_the_envelope_names_its_key() -> None:
    """So that the right one is taken, and a missing one can be named."""
    ring = KeyRing([f"old.2025:{generate_master_key().partition(':')[2]}"])
    sealed = ring.seal("a", *PLACE)

    assert sealed.startswith("nk1.old.2025.")
    assert "a" == ring.open(sealed, *PLACE)


@pytest.mark.parametrize(
    "place", [("integration.credentials", "environment", "row"), ("api_key.secret", "other", "row"),
              ("api_key.secret", "environment", "other"), ("api_key.secret", "environmentrow"), ()]
)  # fmt: skip
def test_a_secret_copied_elsewhere_does_not_open(place: tuple[str, ...]) -> None:
    """Another column, environment or row is another place."""
    ring = KeyRing([generate_master_key()])

    with pytest.raises(DecryptionFailed, match="does not open"):
        ring.open(ring.seal("a", *PLACE), *place)


def test_a_changed_secret_does_not_open() -> None:
    """Not even by one bit."""
    ring = KeyRing([generate_master_key()])
    head, _, text = ring.seal("a", *PLACE).rpartition(".")
    raw = bytearray(base64.b64decode(text))
    raw[0] ^= 1

    with pytest.raises(DecryptionFailed, match="does not open"):
        ring.open(f"{head}.{base64.b64encode(raw).decode()}", *PLACE)


@pytest.mark.parametrize("sealed", ["", "plain", "nk2.a.b.c", "nk1.a.b", "nk1.k.!!.!!"])
def test_what_is_no_envelope_is_said_to_be_none(sealed: str) -> None:
    """It is no crash."""
    with pytest.raises(DecryptionFailed):
        KeyRing([generate_master_key()]).open(sealed, *PLACE)


def test_the_first_key_seals_and_all_open() -> None:
    """Which is how a key is changed: the new one is put first."""
    old, new = generate_master_key(), generate_master_key()
    sealed = KeyRing([old]).seal("a", *PLACE)
    both = KeyRing([new, old])

    assert "a" == both.open(sealed, *PLACE)
    assert both.needs_rotation(sealed)
    assert not both.needs_rotation(both.seal("a", *PLACE))


def test_a_missing_key_is_named() -> None:
    """With what is at hand, and without showing either."""
    old, new = generate_master_key(), generate_master_key()
    sealed = KeyRing([old]).seal("a", *PLACE)

    with pytest.raises(DecryptionFailed) as caught:
        KeyRing([new]).open(sealed, *PLACE)

    assert old.partition(":")[0] in str(caught.value)
    assert new.partition(":")[0] in str(caught.value)
    assert new.partition(":")[2] not in str(caught.value)


@pytest.mark.parametrize(
    "bad", [[], ["not base64!"], [base64.b64encode(b"short").decode()], ["a b:" + "A" * 43 + "="], [""]]
)
def test_bad_key_material_is_refused_with_how_to_make_one(bad: list[str]) -> None:
    """And is not shown."""
    with pytest.raises(SettingsInvalid) as caught:
        KeyRing(bad)

    assert "novukit keys master" in str(caught.value)
    assert all(key not in str(caught.value) for key in bad if key)


def test_two_keys_of_one_name_are_refused() -> None:
    """Which of them was meant would be a guess."""
    values = [generate_master_key().partition(":")[2] for _ in range(2)]

    with pytest.raises(SettingsInvalid, match="same name"):
        KeyRing([f"k:{value}" for value in values])


def test_a_ring_does_not_show_its_keys() -> None:
    """Not in a log either."""
    key = generate_master_key()

    assert key.partition(":")[2] not in repr(KeyRing([key]))


def test_the_keys_of_the_settings_fit() -> None:
    """What the settings make and read is what a ring takes, under the same names."""
    made = master_keys.make()

    assert made.partition(":")[0] == KeyRing([made]).kid == KeyRing([made.partition(":")[2]]).kid
    assert [made] == master_keys.parse(made, "here")


@pytest.fixture
async def filled(database: Database) -> tuple[str, Scope]:
    """A database with each kind of secret, and the key that sealed them."""
    old = generate_master_key()
    ring = KeyRing([old])
    owner = await organizations.bootstrap(database, ring)
    scope = database.scope((await environments.by_slug(database, owner.id, "development")).id)
    await integrations.create(scope, ring, provider_id="smtp", channel="email", credentials={"password": "hunter2"})
    return old, scope


async def secrets_of(scope: Scope, ring: KeyRing) -> tuple[list[str], list[dict[str, object]]]:
    """All that is sealed, opened."""
    signing = [await sessions.secret(scope, ring), *(secret for _, secret in await keys.reveal(scope, ring))]
    return signing, [one.credentials for one in await integrations.active(scope, ring)]


async def test_rotation_seals_everything_anew(database: Database, filled: tuple[str, Scope]) -> None:
    """Two environments with a key and an inbox secret each, and one integration; then the old key can go."""
    old, scope = filled
    new = generate_master_key()
    before = await secrets_of(scope, KeyRing([old]))

    assert 5 == await rotate(database, KeyRing([new, old]))
    assert before == await secrets_of(scope, KeyRing([new]))
    assert 0 == await rotate(database, KeyRing([new, old]))


async def test_rotation_without_the_old_key_changes_nothing(database: Database, filled: tuple[str, Scope]) -> None:
    """All or nothing, and the missing key is named."""
    old, scope = filled
    before = await secrets_of(scope, KeyRing([old]))

    with pytest.raises(DecryptionFailed, match=old.partition(":")[0]):
        await rotate(database, KeyRing([generate_master_key()]))

    assert before == await secrets_of(scope, KeyRing([old]))
