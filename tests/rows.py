"""Rows that tests of the reading side put in the store by hand, with everything filled in that a test leaves out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from novukit.model import ActivityKind, Message, Subscriber, WorkflowSpec
from novukit.store import Database, Scope, activities, history, messages, subscribers, tables, workflows
from novukit.store.database import encode


class Rows:
    """One environment of its own, and the ways to fill it."""

    def __init__(self, scope: Scope, organization_id: UUID) -> None:
        self.scope, self.organization_id = scope, organization_id

    @classmethod
    async def environment(cls, database: Database, slug: str = "development") -> Rows:
        """A new organization with one environment."""
        now, organization_id, own = database.clock.now(), database.new_id(), database.new_id()
        await database.run(
            tables.Organization.insert(tables.Organization(id=organization_id, name="Acme", created_at=now))
        )
        environment = tables.Environment(
            id=own, organization_id=organization_id, name=slug.title(), slug=slug, identifier=f"app-{own}", type="dev",
            inbox_secret="", created_at=now, updated_at=now,
        )  # fmt: skip
        await database.run(tables.Environment.insert(environment))
        return cls(database.scope(own), organization_id)

    async def _insert(self, table: Any, **values: Any) -> None:
        await self.scope.database.run(table.insert(table(environment_id=self.scope.environment_id, **values)))

    async def workflow(self, id: str = "welcome", **fields: Any) -> WorkflowSpec:
        """A stored workflow."""
        spec = WorkflowSpec(**({"id": id, "name": id.title(), "steps": [{"id": "inbox", "kind": "in_app"}]} | fields))
        await workflows.apply(self.scope, create=[spec])
        return spec

    async def subscriber(self, subscriber_id: str = "ada", **fields: Any) -> UUID:
        """A subscriber; their own id."""
        found = await subscribers.upsert_many(self.scope, [Subscriber(subscriber_id=subscriber_id, **fields)])
        return found[subscriber_id]

    async def event(self, transaction_id: str | None = None, **values: Any) -> UUID:
        """An accepted event."""
        new, now = self.scope.new_id(), self.scope.now()
        defaults = {
            "transaction_id": transaction_id or f"tx-{new}", "workflow_id": "welcome", "workflow_version": "v1",
            "payload": "{}", "overrides": "{}", "fingerprint": "", "status": "expanded", "executions": 1,
            "created_at": now, "actor": None, "tenant": None, "recipients": None,
        }  # fmt: skip
        await self._insert(tables.Event, id=new, **(defaults | values))
        return new

    async def execution(
        self, event_id: UUID | None = None, subscriber_id: str = "ada", status: str = "completed", **values: Any
    ) -> UUID:
        """An execution, of a new event unless told which."""
        new, now = self.scope.new_id(), self.scope.now()
        defaults = {
            "event_id": event_id or await self.event(), "workflow_id": "welcome", "workflow_version": "v1",
            "subscriber_uuid": await self.subscriber(subscriber_id), "subscriber_id": subscriber_id, "status": status,
            "runs": 1, "detail": "", "created_at": now,
        }  # fmt: skip
        await self._insert(tables.Execution, id=new, **(defaults | values))
        return new

    async def checkpoint(
        self, execution_id: UUID, step_id: str = "inbox", kind: str = "in_app", status: str = "completed", **values: Any
    ) -> None:
        """What became of one step."""
        now = self.scope.now()
        defaults = {
            "step_key": "", "detail": "", "attempts": 1, "args_hash": "", "position": 0, "started_at": now,
            "finished_at": now,
        }  # fmt: skip
        await self._insert(
            tables.Checkpoint,
            execution_id=execution_id,
            step_id=step_id,
            kind=kind,
            status=status,
            **(defaults | values),
        )

    async def message(
        self,
        subscriber_id: str = "ada",
        *,
        content: dict[str, Any] | None = None,
        tags: list[str] | None = None,
        transaction_id: str | None = None,
        execution_id: UUID | None = None,
        **values: Any,
    ) -> Message:
        """A message; in-app and sent unless told otherwise."""
        new, now = self.scope.new_id(), self.scope.now()
        if execution_id is None:
            event_id = await self.event(transaction_id)
            execution_id = await self.execution(event_id, subscriber_id)
        found = await history.execution(self.scope, execution_id)
        assert found is not None
        defaults = {
            "execution_id": execution_id, "event_id": found.event_id, "transaction_id": found.transaction_id,
            "workflow_id": found.workflow_id, "subscriber_uuid": await self.subscriber(subscriber_id),
            "subscriber_id": subscriber_id, "step_id": "inbox", "step_key": "", "channel": "in_app", "status": "sent",
            "content": encode(content if content is not None else {"subject": "Hello", "body": "World"}),
            "idempotency_key": str(new), "attempts": 1, "possible_duplicate": False, "severity": "none",
            "critical": False, "tags": encode(tags or []), "sent_at": now, "created_at": now, "updated_at": now,
        }  # fmt: skip
        await self._insert(tables.Message, id=new, **(defaults | values))
        message = await messages.get(self.scope, new)
        assert message is not None
        return message

    async def line(self, kind: ActivityKind, execution_id: UUID | None, event_id: UUID | None, **fields: Any) -> UUID:
        """An activity line."""
        line = activities.Line(
            self.scope.new_id(), self.scope.environment_id, kind, self.scope.now(), event_id, execution_id, **fields
        )
        async with self.scope.database.transaction():
            await activities.write(self.scope.database, [line])
        return line.id
