"""``novukit webpush``: the key pair that browsers subscribe with, and the service worker that shows messages."""

from __future__ import annotations

from pathlib import Path

import click

from .. import shape
from ..failure import FAILED, Refused, Stopped
from ..index import summary
from ..output import Output, sign

_EXAMPLES = """
    novukit webpush keys
    novukit webpush keys --json | jq -r .publicKey
    novukit webpush worker static/sw.js
"""

command = shape.group("webpush", summary("webpush"), examples=_EXAMPLES)


@command.command("keys", examples="novukit webpush keys")
@shape.local
def keys(output: Output) -> None:
    """Make a VAPID key pair. Nothing is kept.

    The private key is the credential of the integration, the public one goes into the page. Browsers subscribe to this
    pair: with another one every subscription is void.
    """
    private, public = _make()

    def draw() -> None:
        output.record({"private key": private, "public key": public})
        output.line(("The private key is the integration's; the public one is the page's applicationServerKey.", "dim"))

    output.show({"privateKey": private, "publicKey": public}, draw)


@command.command("worker", examples="novukit webpush worker static/sw.js")
@click.argument("file", type=click.Path(path_type=Path), default=Path("sw.js"))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@shape.local
def worker(output: Output, file: Path, force: bool) -> None:
    """Write a service worker that shows messages and opens their address.

    As sw.js in this folder unless a file is named. The site must serve it from its root.
    """
    source = Path(__file__).with_name("webpush_worker.js").read_bytes()
    if file.exists() and not force:
        raise Refused(f"{file} is there already.", hint="Add --force to replace it, or name another file.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source)
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise Stopped(f"{file} cannot be written ({reason}).", FAILED, hint="Check mode and free space.") from None

    def draw() -> None:
        output.line((f"{sign('✓')} ", "green"), "Wrote ", (str(file), "cyan"), ".")
        output.line(("In the page: navigator.serviceWorker.register('/sw.js')", "dim"))

    output.show({"file": str(file.absolute())}, draw)


def _make() -> tuple[str, str]:
    """A private and a public key on P-256 in base64url, as the Push API has them (RFC 8292 §3.2)."""
    from base64 import urlsafe_b64encode

    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    def text(raw: bytes) -> str:
        return urlsafe_b64encode(raw).decode().rstrip("=")

    key = generate_private_key(SECP256R1())
    private = key.private_numbers().private_value.to_bytes(32, "big")
    return text(private), text(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
