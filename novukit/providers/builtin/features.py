"""What the providers that only look at a message can express: everything."""

from __future__ import annotations

from types import MappingProxyType

from novukit.providers import ChatContent, Content, EmailContent, PushContent, SmsContent

EVERY: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {
        channel: frozenset(set(kind.model_fields) - kind.plain - {"overrides"})
        for channel, kind in dict[str, type[Content]](
            email=EmailContent, sms=SmsContent, push=PushContent, chat=ChatContent
        ).items()
    }
)
"""The optional fields of each channel's content."""
