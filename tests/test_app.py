"""The composition root: what an app may do depends on the environment that it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from novukit.app import App
from novukit.errors import CredentialsInvalid
from novukit.settings import Settings


def test_only_in_development_may_providers_write_files(tmp_path: Path) -> None:
    """A catcher with a folder works under `novukit worker` as it does under `novukit dev`, but not in production."""
    folder = {"folder": str(tmp_path / "mail")}

    App(Settings(root=tmp_path)).runtime.host.build("catcher-email", folder)

    with pytest.raises(CredentialsInvalid, match="only in development"):
        App(Settings(root=tmp_path, environment="production")).runtime.host.build("catcher-email", folder)
