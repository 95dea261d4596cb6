"""Usage: which workflows name a layout or a variable, read from their code."""

from __future__ import annotations

from ...authoring import Registry
from ...store import Scope, workflows
from ..wire import Wire


class UserOut(Wire):
    """A workflow that names it."""

    name: str
    workflow_id: str


class Usage(Wire):
    """The workflows whose code names it in so many letters, as far as this server has their code."""

    workflows: list[UserOut]


async def who_writes(scope: Scope, registry: Registry, text: str) -> list[UserOut]:
    """The workflows of the environment in whose function, if this process has it, ``text`` stands as a literal."""
    return [
        UserOut(name=one.spec.name, workflow_id=one.spec.id)
        for one in await workflows.all(scope)
        if one.spec.id in registry.ids and text in registry.get(one.spec.id).literals
    ]
