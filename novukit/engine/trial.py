"""One message to see whether an integration works: composed here, sent as any other, kept nowhere."""

from __future__ import annotations

from ..model import ChatContent, Content, EmailContent, Integration, PushContent, Reason, SmsContent
from ..providers import Delivery, Outcome
from ..providers.dispatch import deliver
from .runtime import Runtime

SUBJECT = "A test by novukit"


async def send_test(rt: Runtime, integration: Integration, to: str) -> Delivery:
    """Send the test message through ``integration`` and tell what came of it.

    ``to`` is an e-mail address, a phone number, a device token, or for chat a webhook's URL or a channel. No execution
    and no message is recorded, and nothing is tried again. Raises ProviderNotFound, CredentialsInvalid or
    PluginInvalid where there is no provider to ask.
    """
    provider = rt.host.build(integration.provider_id, integration.credentials)
    body = f"The integration {integration.identifier} can send: you are reading it."
    content: Content
    match provider.channel:
        case "email":
            if not provider.sender:
                said = f"Give the integration {integration.identifier!r} the credential `from`."
                return Delivery(Outcome.REJECTED, reason=Reason.NO_SENDER, detail=said)
            content = EmailContent(
                to=to, sender=provider.sender, sender_name=provider.sender_name, subject=SUBJECT, text=body,
                html=f"<p>{body}</p>",
            )  # fmt: skip
        case "sms":
            content = SmsContent(to=to, sender=provider.sender, body=body)
        case "push":
            content = PushContent(tokens=(to,), subject=SUBJECT, body=body)
        case _:
            hook = to.startswith(("https://", "http://"))
            content = ChatContent(webhook_url=to if hook else None, channel=None if hook else to, body=body)
    return await deliver(provider, content, str(rt.new_id()))
