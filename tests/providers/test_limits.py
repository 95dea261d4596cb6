"""What a provider can take at most: more is refused before it is called, with both numbers."""

from __future__ import annotations

from typing import Any

import pytest

from novukit.providers import (
    Attachment,
    ChatContent,
    EmailContent,
    HttpClient,
    Limits,
    PluginInvalid,
    PushContent,
    Receipt,
    check_provider,
    deliver,
)
from novukit.providers.limits import recipients_of, size_of

from .samples import EMAIL, PUSH, Post, post

pytestmark = pytest.mark.anyio


class Small(Post):
    """It takes little, and answers all that reaches it."""

    id = "small"
    supports = frozenset({"cc", "bcc", "attachments"})
    limits = Limits(rate=1, size=1000, recipients=3, lengths={"subject": 5})

    async def send(self, content: EmailContent, key: str) -> Receipt:
        return Receipt("m1")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"subject": "ÄÄÄÄÄ"}, ""),
        ({"subject": "ÄÄÄÄÄÄ"}, "subject has 6 characters, the limit is 5."),
        ({"cc": ("a@b.example",), "bcc": ("c@d.example",)}, ""),
        ({"cc": ("a@b.example",), "bcc": ("c@d.example", "e@f.example")}, "It has 4 recipients, the limit is 3."),
        ({"text": "x" * 1001}, "The content has"),
        ({"text": "ä" * 501}, "The content has"),
        ({"attachments": (Attachment(name="a", content=b"x" * 760),)}, "The content has"),
    ],
)
async def test_more_than_the_limits_is_refused(values: dict[str, Any], said: str) -> None:
    """Characters of a field, recipients, bytes in UTF-8, and base64 for files."""
    provider = Small(post(HttpClient()).credentials, HttpClient())

    delivery = await deliver(provider, EMAIL.model_copy(update=values), "key")

    assert delivery.accepted is not bool(said)
    assert delivery.detail.startswith(said)


def test_the_size_is_what_travels() -> None:
    """Three bytes of a file are four of base64; device tokens are addresses and do not count."""
    assert size_of(Attachment(name="ab", content=b"1234")) == 2 + 8
    assert size_of(PushContent(tokens=("t" * 500,), subject="ä", data={"a": ["b", {"c": 1}]})) == 2 + 1 + 1 + 1
    assert size_of(ChatContent(body="hi", channel="c")) == 3
    assert (recipients_of(PUSH), recipients_of(ChatContent(body="hi"))) == (2, 1)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"rate": 1}, "`limits` is"),
        (Limits(rate=0), "limit rate is 0"),
        (Limits(size=-1), "limit size is -1"),
        (Limits(lengths={"body": 10}), "limits the field 'body'"),
        (Limits(lengths={"subject": 0}), "is 0"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: Any, said: str) -> None:
    """When the plugin is loaded, not when a message is due."""
    wrong = type("Wrong", (Post,), {"id": "wrong", "limits": limits})

    with pytest.raises(PluginInvalid, match=said):
        check_provider(wrong)
