"""What the fork server does once, so that no process has to: import everything, and send one letter for practice.

It is imported by the fork server alone. No thread may be left when it ends: SQLite works inline here.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import traceback
from pathlib import Path

import asyncpg.connect_utils  # noqa: F401 - preloaded
import httpx

import novukit.store.postgres  # noqa: F401 - preloaded
from novukit import testing
from novukit.authoring import Registry
from novukit.providers import HttpClient, Unavailable
from novukit.settings import Settings

from .letters import SCENARIOS, clone
from .living import live

REHEARSED = live
TLS = httpx.create_ssl_context(trust_env=False)


async def rehearse() -> None:
    """Trigger a workflow, let it run, and knock at a door where nobody is."""
    for one in SCENARIOS.values():
        one.spec()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(root=Path(folder))
        registry = Registry([clone("inbox", "rehearsal")])
        async with testing.Harness(settings, Path(folder), workflows=registry) as harness:
            await harness.trigger("rehearsal", to="nobody", payload={})
    client = HttpClient(allow_private=True)
    try:
        await client.post("http://127.0.0.1:9")
    except Unavailable:
        await client.aclose()


# Every process would else read all known certificate authorities anew, and never need one.
httpx.create_ssl_context = lambda **_: TLS  # type: ignore[assignment]
try:
    asyncio.run(rehearse())
except Exception:  # a server that ends at its birth says nothing; its children will say what is wrong
    traceback.print_exc()
gc.freeze()
