"""Heed: which members of a topic do not want an event, as their subscriptions say."""

from __future__ import annotations

from uuid import UUID

from ..model import SubscriptionChoice
from ..model.condition import holds
from ..store import Scope, events, recipients, subscribers
from ..store.events import Expanding
from ..store.recipients import Window
from .choose import profile


async def heed(scope: Scope, event: Expanding, page: int) -> Window | None:
    """The window of the next ``page`` recipients, without those who do not want the event; the caller's transaction.

    ``None`` when nobody who is still to come has said anything, as in most topics: that is one query for a page.
    A member is left out when none of their subscriptions to the topic wants it.
    """
    if not await recipients.are_particular(scope, event):
        return None
    upto = await recipients.last(scope, event, page)
    said = await recipients.choices(scope, event, Window(upto))
    asked = {who: choices for who, choices in said.items() if not any(_plainly(one) for one in choices)}
    if not asked:
        return Window(upto)
    facts = await events.facts(scope, event.id)
    conditional = {who for who, choices in asked.items() if any(one and one.enabled for one in choices)}
    people = await subscribers.by_uuids(scope, conditional)
    without: list[UUID] = []
    for who, choices in asked.items():
        if who not in people:
            without.append(who)
            continue
        seen = {**facts, "subscriber": profile(people[who])}
        if not any(one and one.enabled and one.condition and holds(one.condition, seen) for one in choices):
            without.append(who)
    return Window(upto, without)


def _plainly(choice: SubscriptionChoice | None) -> bool:
    """Whether a subscription wants it, whatever it holds."""
    return choice is None or (choice.enabled and choice.condition is None)
