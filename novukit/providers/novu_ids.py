"""The provider ids that Novu's SDKs can read: a closed list, so that every plugin is reported under one of them."""

from __future__ import annotations

from types import MappingProxyType

from ..model import Channel

NOVU_IDS: MappingProxyType[Channel, frozenset[str]] = MappingProxyType(
    {
        "email": frozenset(
            [
                "anypost",
                "braze",
                "clickatell",
                "email-webhook",
                "emailjs",
                "infobip-email",
                "mailersend",
                "mailgun",
                "mailjet",
                "mailtrap",
                "mandrill",
                "netcore",
                "nodemailer",
                "novu-email",
                "novu-email-agent",
                "outlook365",
                "plunk",
                "postmark",
                "resend",
                "sendgrid",
                "sendinblue",
                "ses",
                "sparkpost",
            ]
        ),
        "sms": frozenset(
            [
                "africas-talking",
                "afro-message",
                "azure-sms",
                "bandwidth",
                "brevo-sms",
                "bulk-sms",
                "burst-sms",
                "clicksend",
                "cm-telecom",
                "eazy-sms",
                "firetext",
                "forty-six-elks",
                "generic-sms",
                "gupshup",
                "imedia",
                "infobip-sms",
                "isend-sms",
                "isendpro-sms",
                "kannel",
                "maqsam",
                "messagebird",
                "mobishastra",
                "nexmo",
                "novu-sms",
                "plivo",
                "ring-central",
                "ruach-sms",
                "sendchamp",
                "simpletexting",
                "sinch",
                "sms-central",
                "sms77",
                "smsmode",
                "sns",
                "telnyx",
                "termii",
                "twilio",
                "unifonic",
            ]
        ),
        "push": frozenset(["apns", "appio", "expo", "fcm", "one-signal", "push-webhook", "pusher-beams", "pushpad"]),
        "in_app": frozenset({"novu"}),
        "chat": frozenset(
            [
                "chat-webhook",
                "discord",
                "getstream",
                "grafana-on-call",
                "line",
                "mattermost",
                "msteams",
                "novu-slack",
                "novu-web-chat",
                "rocket-chat",
                "ryver",
                "sendblue",
                "slack",
                "telegram",
                "webex-messaging",
                "whatsapp-business",
                "zulip",
            ]
        ),
    }
)

DEFAULT: MappingProxyType[Channel, str] = MappingProxyType(
    {
        "email": "email-webhook",
        "sms": "generic-sms",
        "push": "push-webhook",
        "in_app": "novu",
        "chat": "chat-webhook",
    }
)


def novu_id_of(provider_id: str, channel: Channel) -> str:
    """The id under which a provider is reported where Novu's list is closed: its own if Novu knows it."""
    return provider_id if provider_id in NOVU_IDS[channel] else DEFAULT[channel]
