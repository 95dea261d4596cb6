"""Recipients as one types them: ``ada``, ``ada@example.com``, ``topic:staff``, ``everyone``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidInput, Issue

if TYPE_CHECKING:
    from pydantic import ValidationError

    from ..model import Recipient


def recipients(texts: Sequence[str]) -> tuple[Recipient, ...]:
    """Whom the texts name. Raises :class:`InvalidInput` for what cannot be a recipient."""
    return tuple(_recipient(text) for text in texts)


def refused(err: ValidationError) -> InvalidInput:
    """What pydantic found wrong with a trigger, in words."""
    issues = [
        Issue("/" + "/".join(map(str, error["loc"])), error["type"], error["msg"].removeprefix("Value error, "))
        for error in err.errors(include_url=False)[:50]
    ]
    return InvalidInput(f"The trigger is not valid: {issues[0].message}", issues=issues)


def _recipient(text: str) -> Recipient:
    from pydantic import ValidationError

    from ..model import Everyone, Subscriber, TopicRecipient

    try:
        if text == "everyone":
            return Everyone()
        if text.startswith("topic:"):
            return TopicRecipient(topic_key=text.removeprefix("topic:"))
        if "@" in text:
            return Subscriber(subscriber_id=text, email=text)
        return Subscriber(subscriber_id=text)
    except ValidationError as err:
        reason = err.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        if "pattern" in reason:
            topic = "a topic's key has letters, digits and _ . : @ + -"
            reason = topic if text.startswith("topic:") else "an id has no /, no % and no blank ends"
        raise InvalidInput(
            f"--to {text[:64]!r} is not a recipient: {reason[:1].lower()}{reason[1:]}",
            hint="Give a subscriber id, an e-mail address, topic:KEY, or everyone.",
        ) from None
