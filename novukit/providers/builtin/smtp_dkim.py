"""DKIM (RFC 6376): a signature by which a receiver knows that a domain stands for a message."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)  # fmt: skip
from pydantic import SecretBytes

GUARDED = ("from", "to", "cc", "reply-to", "subject", "list-unsubscribe", "list-unsubscribe-post")
"""What a reader sees or acts on: signed once more than it is there, also where it is not, so that nobody can add one.
Both headers of one-click unsubscribe must be signed (RFC 8058 §4)."""
SIGNED = ("date", "message-id", "mime-version", "content-type", "content-transfer-encoding")
"""Signed once more than it is there, but only where it is: a server on the way may add what is missing."""
SHORTEST_KEY = 1024
"""Bits. Receivers take no shorter one (RFC 8301 §3.2)."""
HEADER_NAME = re.compile(rb"^([!-9;-~]+)[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for ``domain`` with the private ``key``, whose public one is at ``<selector>._domainkey.<domain>``."""

    domain: str
    selector: str
    key: SecretBytes

    def sign(self, message: bytes) -> bytes:
        """``message``, its lines ended by CRLF, with a signature in front. It takes some milliseconds of computing."""
        import dkim  # pyright: ignore[reportMissingTypeStubs]

        if not message.endswith(b"\r\n"):
            message += b"\r\n"
        head = message.partition(b"\r\n\r\n")[0]
        there = Counter(name.decode().lower() for name in HEADER_NAME.findall(head))
        names = [name for name in GUARDED + SIGNED if there[name] or name in GUARDED]
        signature: bytes = dkim.sign(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            message,
            self.selector.encode(),
            self.domain.encode(),
            self.key.get_secret_value(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in names for _ in range(there[name] + 1)],
        )
        return signature + message


def is_installed() -> bool:
    """Whether the library that signs is there (``pip install novukit[dkim]``)."""
    return find_spec("dkim") is not None


def signing_key(pem: str) -> SecretBytes:
    """An RSA key in PEM, PKCS #1 or #8, as the library wants it. Raises ValueError if it is none."""
    # In an environment variable and in a form of one line, line ends are often written as \n.
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("the DKIM key is not a private key in PEM without a passphrase") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the DKIM key is not an RSA key")
    if key.key_size < SHORTEST_KEY:
        raise ValueError(f"the DKIM key has {key.key_size} bits; receivers want {SHORTEST_KEY} at least")
    return SecretBytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
