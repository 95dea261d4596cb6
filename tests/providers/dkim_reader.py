"""A reader of DKIM signatures, written from RFC 6376 for the tests alone: it shares nothing with what signs."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

Field = tuple[str, bytes]


def fields_of(raw: bytes) -> tuple[list[Field], bytes]:
    """The header fields, each with all its lines and its name in small letters, and the body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = [field.partition(b":") for field in re.split(rb"\r\n(?![ \t])", head)]
    return [(name.decode().strip().lower(), value) for name, _, value in fields], body


def tags_of(value: bytes) -> dict[str, str]:
    """The tags of a signature (§3.2), without the white space of their folding."""
    pairs = (part.partition("=") for part in value.decode().split(";") if part.strip())
    return {name.strip(): re.sub(r"\s+", "", text) for name, _, text in pairs}


def relaxed(field: Field) -> bytes:
    """§3.4.2, without the line's end."""
    name, value = field
    unfolded = value.replace(b"\r\n", b"")
    return name.encode() + b":" + re.sub(rb"[ \t]+", b" ", unfolded).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """§3.4.4."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = b"\r\n".join(lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def verifies(raw: bytes, key: RSAPublicKey) -> bool:
    """Whether the first field of ``raw`` is a signature that holds for the rest of it (§6.1)."""
    (name, value), *fields = fields_of(raw)[0]
    tags = tags_of(value)
    assert (name, tags["v"], tags["a"], tags["c"]) == ("dkim-signature", "1", "rsa-sha256", "relaxed/relaxed")
    if base64.b64decode(tags["bh"]) != sha256(relaxed_body(fields_of(raw)[1])).digest():
        return False
    signed = b""
    for wanted in tags["h"].lower().split(":"):
        # From the bottom up, each field once; one that is not there is signed as nothing (§5.4.2).
        at = max((i for i, (name, _) in enumerate(fields) if name == wanted), default=None)
        if at is not None:
            signed += relaxed(fields.pop(at)) + b"\r\n"
    # The signature itself goes last, with an empty b= and no line end (§3.7).
    signed += relaxed((name, re.sub(rb"([;\s]b\s*=)[^;]*", rb"\1", value)))
    try:
        key.verify(base64.b64decode(tags["b"]), signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
