"""Secrets are told to the vendor, and to nobody else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator
from contextlib import contextmanager

from ...providers import ProviderError
from ...providers.credentials import secrets_of
from ...providers.redaction import spellings
from .kit import Conformance, Stage, applies
from .vendor import Answer, Request

SHORTEST = 8


def forms(stage: Stage) -> set[str]:
    """The secrets, in each spelling by which one could be known."""
    secrets = secrets_of(stage.provider.credentials)
    return {form for secret in secrets for form in spellings(secret) if len(form) >= SHORTEST}


@contextmanager
def listening() -> Generator[list[str], None, None]:
    """All that is logged meanwhile, by anybody, at any level."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(logging.Formatter().format(record))

    listener, root = Listener(), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.removeHandler(listener)
        root.setLevel(level)


class SecretTests(Conformance):
    """No secret in a log, an error, a repr or a result."""

    @applies(lambda kit: "Secret" in str(kit.provider.credentials_type.model_fields))
    async def test_the_secrets_can_be_known(self) -> None:
        """Those of ``Vendor.credentials`` are long enough to be looked for."""
        async with self.stage() as stage:
            secrets = secrets_of(stage.provider.credentials)
        assert secrets, "Give every SecretStr of the credentials a value in `Vendor.credentials`."
        assert all(len(secret) >= SHORTEST for secret in secrets), f"Give secrets of at least {SHORTEST} characters."

    async def test_no_secret_is_told(self) -> None:
        """Not when all goes well, nor when the vendor repeats the whole request in its answer."""

        def echoed(status: int, request: Request) -> Answer:
            words = [f"{name}: {value}" for name, value in request.headers.items()]
            return Answer(status, "\n".join([request.target, *words, request.body.decode("utf-8", "replace")]))

        with listening() as said:
            for status in (200, 400, 401, 429, 500):
                async with self.stage(lambda request, status=status: echoed(status, request)) as stage:
                    said.append(repr(await stage.deliver()))
            async with self.stage() as stage:
                said.append(repr(await stage.deliver()))
                said += [repr(stage.provider), str(stage.provider), repr(stage.provider.credentials)]
                said += [repr(value) for name, value in vars(stage.provider).items() if name != "http"]
                secrets = forms(stage)
            async with self.stage(Answer(400, b"{}")) as stage:
                try:
                    await stage.provider.send(stage.content(), "kit-key-1-5f0c")
                except ProviderError as err:
                    said.extend(traceback.format_exception(err))
        for line in said:
            for secret in secrets:
                assert secret not in line, (
                    f"A secret of the credentials is told in: {line.replace(secret, '<the secret>')[:300]!r}. "
                    "Keep it in a SecretStr until the header is written, and log none of it."
                )

    @applies(lambda kit: not kit.vendor.secret_in_url)
    async def test_no_secret_is_in_a_url(self) -> None:
        """Servers and proxies write URLs into their logs."""
        async with self.stage() as stage:
            await stage.deliver()
            for request in (*stage.server.sent, *stage.server.asked):
                for secret in forms(stage):
                    assert secret not in request.target, (
                        "A secret of the credentials is in the URL. Put it into a header; where the vendor wants it "
                        "there, say `secret_in_url=True`."
                    )
