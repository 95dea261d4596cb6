"""What the tests about subscribers, topics and preferences begin with: two environments side by side."""

from __future__ import annotations

from novukit.model import StoredSubscriber, Subscriber
from novukit.store import Database, Scope
from novukit.store import subscribers as store


async def environment(database: Database, slug: str = "development") -> Scope:
    """A new environment in an organization of its own."""
    organization_id, environment_id, now = database.new_id(), database.new_id(), database.clock.now()
    await database.fetch("insert into novukit_organization values ($1, $2, $3)", organization_id, "Acme", now)
    await database.fetch(
        "insert into novukit_environment (id, organization_id, name, slug, identifier, type, inbox_secret, created_at, "
        "updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        environment_id, organization_id, slug.title(), slug, f"app-{environment_id}", "dev", "secret", now,
    )  # fmt: skip
    return database.scope(environment_id)


async def subscriber(scope: Scope, subscriber_id: str = "ada") -> StoredSubscriber:
    """A new subscriber who has nothing but an id."""
    created = await store.create(scope, Subscriber(subscriber_id=subscriber_id))
    assert created is not None
    return created
