"""The examples and the starter project: their settings load, their workflows are found, their templates render."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import novukit
from novukit.authoring import Registry
from novukit.model import CHANNELS, Digest, DigestEvent, EmailInput, Sent, StepCall, StepKind, StoredSubscriber
from novukit.rendering import Renderer
from novukit.settings import Settings
from novukit.testing import VirtualClock

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
STARTER = Path(novukit.__file__).parent / "cli" / "starter"

ORDER = {
    "number": "A-17",
    "items": [{"name": "Tea & biscuits", "quantity": 2, "price": "4.50"}, {"name": "Pot", "price": 1200}],
    "delivery": "2026-05-05T12:00:00Z",
}
ID = UUID(int=7)
COMMENT = {"post_id": "42", "post_title": "Small bells", "commenter": "Bob", "text": "Is 3 < 4?"}


@pytest.fixture
def fresh_modules() -> Iterator[None]:
    """The starter's module has a common name, and must not stay."""
    yield
    sys.modules.pop("workflows", None)
    sys.path[:] = [path for path in sys.path if path != str(STARTER.resolve())]


async def written(toml: Path, workflow_id: str, payload: dict[str, Any]) -> dict[str, str]:
    """What each channel step of a workflow would send, as text, when nothing fails and nobody looks."""
    settings = Settings.load(toml, environ={})
    renderer = Renderer(settings.templates)
    workflow = Registry.load(settings.workflows, settings.root).get(workflow_id)
    texts: dict[str, str] = {}

    async def run(call: StepCall) -> Any:
        if call.kind in CHANNELS:
            asked: Any = call.inputs
            text = asked.body
            if asked.template and isinstance(asked, EmailInput):
                html = renderer.html(asked.template, asked.variables, layout=asked.layout, preheader=asked.preheader)
                text = renderer.text_from_html(html)
            elif asked.template:
                text = renderer.text(asked.template, asked.variables)
            texts[call.id] = text
            return Sent()
        if call.kind is StepKind.DIGEST:
            return Digest((DigestEvent(id="1", time=clock.now(), payload=workflow.parse_payload(payload)),))
        return await call.function() if call.function else None

    clock = VirtualClock()
    now = clock.now()
    ada = StoredSubscriber(id=ID, subscriber_id="ada", created_at=now, updated_at=now)
    await workflow.run(
        novukit.Context(
            payload=workflow.parse_payload(payload), subscriber=ada, step=novukit.Step(run), transaction_id="t",
            environment="development", execution_id=ID,
        )
    )  # fmt: skip
    return texts


async def test_the_blog_writes() -> None:
    """The comments, as their writers wrote them."""
    texts = await written(ROOT / "novukit.toml", "comment-on-post", COMMENT)

    assert ["inbox", "email"] == list(texts)
    assert "1 new comment\n" in texts["email"]
    assert "Bob\nIs 3 < 4?" in texts["email"]
    assert "<https://blog.example/posts/42>" in texts["email"]


async def test_the_shop_writes() -> None:
    """A receipt with columns, and an SMS without HTML."""
    texts = await written(ROOT / "novukit.toml", "order-placed", ORDER)

    assert ["receipt", "coming", "today"] == list(texts)
    assert "Tea & biscuits  2 × €4.50\nPot             €1,200.00\nTotal           €1,209.00" in texts["receipt"]
    assert "Tuesday, 05 May" in texts["receipt"]
    assert "Order A-17 is on its way and arrives today, 05 May. Corner Shop" == texts["today"]


async def test_the_signup_writes() -> None:
    """The tip goes through all its messages."""
    texts = await written(ROOT / "novukit.toml", "welcome-aboard", {"name": "Grace", "interest": "maps"})

    assert ["hello", "welcome", "nudge"] == list(texts)
    assert all("Five minutes with maps" in text for text in texts.values())


@pytest.mark.usefixtures("fresh_modules")
async def test_the_starter_writes_without_a_payload() -> None:
    """The first trigger of a newcomer needs nothing but an address."""
    texts = await written(STARTER / "novukit.toml", "welcome", {})

    assert "Good to have you here, there." == texts["hello"]
    assert "Good to have you here, there." in texts["email"]


@pytest.mark.parametrize("toml", [ROOT / "novukit.toml", STARTER / "novukit.toml"], ids=["examples", "starter"])
def test_their_templates_are_sound(toml: Path) -> None:
    """``check`` has nothing to say."""
    assert [] == Renderer(Settings.load(toml, environ={}).templates).check()
