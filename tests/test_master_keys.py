"""Master keys: where they come from, and what cannot be one."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from novukit.errors import SecretMissing, SettingsInvalid
from novukit.settings import SecretRef, Settings
from novukit.settings.keys import make

KEY = base64.b64encode(bytes(32)).decode()
OTHER = base64.b64encode(bytes(range(32))).decode()


def test_a_local_database_makes_its_own_master_key(tmp_path: Path) -> None:
    """Made on first use, the same ever after, for its owner's eyes only, and kept out of git."""
    settings = Settings(root=tmp_path)

    first, second = settings.master_keys({}), settings.master_keys({})

    file = tmp_path / ".novukit" / "master.key"
    assert first == second
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (tmp_path / ".novukit" / ".gitignore").read_text() == "*\n"
    assert sorted(one.name for one in file.parent.iterdir()) == [".gitignore", "master.key"]


def test_a_server_database_needs_a_master_key(tmp_path: Path) -> None:
    """C10: how to make one is told."""
    settings = Settings(root=tmp_path, database="postgres://h/x")

    with pytest.raises(SecretMissing, match="novukit keys master"):
        settings.master_keys({})


@pytest.mark.parametrize(
    ("environ", "keys"),
    [
        ({"NOVUKIT_MASTER_KEY": f"two:{OTHER},one:{KEY}"}, [f"two:{OTHER}", f"one:{KEY}"]),
        ({"NOVUKIT_MASTER_KEY": KEY}, [f"66687aad:{KEY}"]),
    ],
)
def test_master_keys_come_from_the_variable(tmp_path: Path, environ: Mapping[str, str], keys: list[str]) -> None:
    """Named or bare; the first seals. A bare one is named after its own hash."""
    assert Settings(root=tmp_path).master_keys(environ) == keys


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a:c2hvcnQ=", "has 5 bytes; a master key has 32"),
        ("a:***", "is not base64"),
        (f"a:{KEY},a:{OTHER}", "two keys have the name 'a'"),
        (f"a b:{KEY}", "letters, digits"),
    ],
)
def test_a_master_key_that_cannot_be_one_is_refused(tmp_path: Path, value: str, words: str) -> None:
    """C10, C11: the variable is named, the key is not shown."""
    with pytest.raises(SettingsInvalid) as caught:
        Settings(root=tmp_path).master_keys({"NOVUKIT_MASTER_KEY": value})

    assert words in caught.value.message
    assert caught.value.message.startswith("NOVUKIT_MASTER_KEY: ")
    assert KEY not in str(caught.value)


def test_the_file_may_name_another_variable(tmp_path: Path) -> None:
    """``master_key = { env = … }``."""
    settings = Settings(root=tmp_path, database="postgres://h/x", master_key=SecretRef(env="VAULT"))

    assert settings.master_keys({"VAULT": f"v:{KEY}"}) == [f"v:{KEY}"]


def test_a_new_key_can_be_read_again(tmp_path: Path) -> None:
    """`novukit keys master` makes what ``NOVUKIT_MASTER_KEY`` takes."""
    key = make()

    assert Settings(root=tmp_path).master_keys({"NOVUKIT_MASTER_KEY": key}) == [key]
