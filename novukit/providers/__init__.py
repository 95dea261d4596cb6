"""The door for plugin authors: what a provider is made of, what it is given, and how it is called.

A plugin is a module that an entry point of the group ``novukit`` names. It has a subclass of the base of its channel
and gives it out through one hook::

    from pydantic import SecretStr

    from novukit.providers import (
        EmailContent, EmailCredentials, EmailProvider, Receipt, hookimpl, raise_for_outcome, read_json,
    )


    class PostCredentials(EmailCredentials):
        api_key: SecretStr


    class Post(EmailProvider[PostCredentials]):
        id = "post"
        idempotency = "native"

        async def send(self, content: EmailContent, key: str) -> Receipt:
            response = await self.http.post(
                "https://api.post.example/mails",
                headers={
                    "Authorization": f"Bearer {self.credentials.api_key.get_secret_value()}",
                    "Idempotency-Key": key,
                },
                json={"to": content.to, "from": content.sender, "subject": content.subject, "html": content.html},
            )
            raise_for_outcome(response)
            return Receipt(provider_message_id=read_json(response).get("id"))


    @hookimpl
    def novukit_providers():
        return [Post]

What is not listed in ``__all__`` is private and may change.
"""

from ..errors import AddressRefused, CredentialsInvalid, PluginInvalid, ProviderNotFound, UnsupportedFeature
from ..model import Attachment, ChatContent, Content, EmailContent, InAppContent, PushContent, Reason, SmsContent
from .access import Token, TokenCache
from .answers import outcome_for, raise_for_outcome, read_json, retry_after
from .base import (
    API_VERSION,
    AnyProvider,
    ChatProvider,
    EmailProvider,
    InAppProvider,
    Provider,
    PushProvider,
    SmsProvider,
)  # fmt: skip
from .callback import (
    CallbackAnswer,
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EventKind,
    Headers,
    as_list,
    as_object,
    moment,
    objects,
)  # fmt: skip
from .contract import check_provider
from .credentials import CredentialField, Credentials, EmailCredentials, NoCredentials, SmsCredentials
from .devices import send_to_each
from .dispatch import check, deliver, look_up
from .hookspecs import hookimpl
from .host import PluginHost, PluginStatus, describe_credentials
from .http import HttpClient
from .limits import Limits
from .mime import as_bytes, ascii_domain, envelope_sender, mime_message, needs_utf8, recipients
from .outcome import (
    Delivery,
    Outcome,
    ProviderError,
    Receipt,
    RecipientGone,
    Rejected,
    Throttled,
    Unavailable,
    Unknown,
)  # fmt: skip
from .reception import CallbackFailed, receive
from .signatures import (
    sign_hmac,
    verify_basic_auth,
    verify_ecdsa,
    verify_ed25519,
    verify_hmac,
    verify_secret,
    verify_standard_webhook,
    verify_timestamp,
)  # fmt: skip

__all__ = [
    "API_VERSION", "AddressRefused", "AnyProvider", "Attachment", "CallbackAnswer", "CallbackFailed",
    "CallbackRefused", "CallbackRequest", "ChatContent", "ChatProvider", "Content", "CredentialField", "Credentials",
    "CredentialsInvalid", "Delivery", "DeliveryEvent", "EmailContent", "EmailCredentials", "EmailProvider",
    "EventKind", "Headers", "HttpClient", "InAppContent", "InAppProvider", "Limits", "NoCredentials", "Outcome",
    "PluginHost", "PluginInvalid", "PluginStatus", "Provider", "ProviderError", "ProviderNotFound", "PushContent",
    "PushProvider", "Reason", "Receipt", "RecipientGone", "Rejected", "SmsContent", "SmsCredentials", "SmsProvider",
    "Throttled", "Token", "TokenCache", "Unavailable", "Unknown", "UnsupportedFeature", "as_bytes", "as_list",
    "as_object", "ascii_domain", "check", "check_provider", "deliver", "describe_credentials", "envelope_sender",
    "hookimpl", "look_up", "mime_message", "moment", "needs_utf8", "objects", "outcome_for", "raise_for_outcome",
    "read_json", "receive", "recipients", "retry_after", "send_to_each", "sign_hmac", "verify_basic_auth",
    "verify_ecdsa", "verify_ed25519", "verify_hmac", "verify_secret", "verify_standard_webhook", "verify_timestamp",
]  # fmt: skip
