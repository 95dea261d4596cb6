"""The manifest: what the code declares, what the store holds, and the plan between them."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from .base import Model
from .content import Severity
from .preference import WorkflowPreferences
from .step import StepKind

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
"""How workflows, steps, integrations are called: letters, digits, ``_ . -``, at most 100."""


class StepSpec(Model):
    """A step as discovery read it from the source. ``line`` is relative to the workflow's first line."""

    id: Identifier
    kind: StepKind
    line: int = Field(default=0, exclude=True)


class WorkflowSpec(Model):
    """A workflow as its code declares it."""

    id: Identifier
    name: str = Field(max_length=200)
    description: str = ""
    tags: tuple[str, ...] = ()
    severity: Severity = "none"
    preferences: WorkflowPreferences = WorkflowPreferences()
    payload_schema: dict[str, Any] | None = None
    steps: tuple[StepSpec, ...] = ()

    @cached_property
    def version(self) -> str:
        """A hash of all that is declared: the same code gives the same version."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Manifest(Model):
    """All workflows of an application, by id. ``source`` names the code base that owns them."""

    workflows: dict[str, WorkflowSpec] = {}


class StoredWorkflow(Model):
    """A workflow as one environment knows it."""

    id: UUID
    environment_id: UUID
    spec: WorkflowSpec
    version: str
    active: bool
    created_at: datetime
    updated_at: datetime
    last_triggered_at: datetime | None = None
    remote: bool = False
    """Whether it runs in an application behind a bridge, and not in this code."""


class StepChange(Model):
    """What happens to one step: ``+`` added, ``-`` gone, ``~`` other kind; and how many executions wait in it."""

    sign: str
    step_id: str
    kind: str
    waiting: int = 0


class WorkflowChange(Model):
    """What happens to one workflow."""

    workflow_id: str
    name: str
    steps: tuple[StepChange, ...] = ()
    fields: tuple[str, ...] = ()
    in_flight: int = 0


class Plan(Model):
    """What must happen for the store to become what the code declares."""

    create: tuple[WorkflowChange, ...] = ()
    change: tuple[WorkflowChange, ...] = ()
    delete: tuple[WorkflowChange, ...] = ()
    unchanged: tuple[str, ...] = ()
    state: str = ""
    """A hash of what the store held when the plan was made: an apply on another state is refused."""

    @property
    def empty(self) -> bool:
        return not (self.create or self.change or self.delete)
