"""``novukit webpush``: what a site needs for push to browsers is made without a project."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, derive_private_key

from .conftest import Project


def raw(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_key_pair_is_made_without_a_project(project: Project) -> None:
    """The public key belongs to the private one, and the next pair is another."""
    (project.folder / "novukit.toml").unlink()
    made, other = (json.loads(project.ok("webpush", "keys", "--json").out) for _ in range(2))

    private = derive_private_key(int.from_bytes(raw(made["privateKey"]), "big"), SECP256R1())
    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw(made["publicKey"]))

    assert private.public_key() == public
    assert (len(raw(made["privateKey"])), len(raw(made["publicKey"]))) == (32, 65)
    assert other["privateKey"] != made["privateKey"]


def test_keys_are_shown_by_their_names(project: Project) -> None:
    """On a line each, and what they are for beside them."""
    first, second, said = project.ok("webpush", "keys").out.splitlines()

    assert [line.rpartition("  ")[0].strip() for line in (first, second)] == ["private key", "public key"]
    assert "applicationServerKey" in said


def test_a_worker_is_written_and_not_over_another(project: Project, tmp_path: Path) -> None:
    """It is one's own to change, so it is replaced only with --force."""
    file = tmp_path / "static" / "sw.js"
    assert str(file) in project.ok("webpush", "worker", str(file)).out
    written = file.read_text()
    file.write_text("// mine")

    refused = project.run("webpush", "worker", str(file))

    assert 'addEventListener("push"' in written
    assert (refused.code, file.read_text()) == (5, "// mine")
    assert "--force" in refused.err
    assert json.loads(project.ok("webpush", "worker", str(file), "--force", "--json").out) == {"file": str(file)}
    assert file.read_text() == written


def test_a_worker_that_cannot_be_written_says_why(project: Project, tmp_path: Path) -> None:
    """In a sentence, with the file's name."""
    (tmp_path / "file").write_text("")

    result = project.run("webpush", "worker", str(tmp_path / "file" / "sw.js"))

    assert result.code == 1
    assert "cannot be written" in result.err
