"""The files of a new provider plugin: it sends to a vendor that does not exist, and passes the conformance kit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

HOME = Path(__file__).parent / "scaffold"


@dataclass(frozen=True)
class Channel:
    """What differs between channels."""

    title: str
    stem: str
    """Of its classes: ``Email`` for EmailProvider, EmailContent and EmailConformance."""
    fields: dict[str, tuple[str, str]]
    """The plain fields: the name in the request, and where the kit finds it."""
    credentials: str = "Credentials"
    sender: str = ""
    nowhere: str = ""


CHANNELS = {
    "email": Channel(
        "E-mail",
        "Email",
        {
            "to": ("to", "json:to"),
            "sender": ("from", "json:from"),
            "sender_name": ("from_name", "json:from_name"),
            "subject": ("subject", "json:subject"),
            "text": ("text", "json:text"),
            "html": ("html", "json:html"),
        },
        credentials="EmailCredentials",
        sender='from = "hello@example.com", ',
    ),
    "sms": Channel(
        "SMS",
        "Sms",
        {"to": ("to", "json:to"), "sender": ("from", "json:from"), "body": ("text", "json:text")},
        credentials="SmsCredentials",
        sender='from = "+15550100", ',
    ),
    "push": Channel(
        "Push",
        "Push",
        {"tokens": ("token", "json:token"), "subject": ("title", "json:title"), "body": ("text", "json:text")},
    ),
    "chat": Channel(
        "Chat",
        "Chat",
        {"channel": ("channel", "json:channel"), "body": ("text", "json:text")},
        nowhere='            "webhook_url": Nowhere("its key opens every channel"),',
    ),
}


def files_of(provider_id: str, channel: str) -> dict[str, str]:
    """The files of the plugin by their names within its folder."""
    kind = CHANNELS[channel]
    module, name = f"novukit_{provider_id.replace('-', '_')}", provider_id.replace("-", " ").capitalize()
    cls = "".join(part.capitalize() for part in provider_id.split("-"))
    variable = f"{provider_id.replace('-', '_').upper()}_API_KEY"
    words = {
        "id": provider_id, "name": name, "module": module, "title": kind.title,
        "cls": cls if cls[0].isalpha() else f"Provider{cls}",
        "base": f"{kind.stem}Provider", "content": f"{kind.stem}Content", "kit": f"{kind.stem}Conformance",
        "credentials_base": kind.credentials, "credentials": f'{kind.sender}api_key = {{ env = "{variable}" }}',
        "imports": _lines(_imports(kind)), "kit_imports": _lines(_kit_imports(kind)), "send": _send(kind),
        "fields": _fields(kind), "errors": f"\n{_filled('gone.txt', {}).rstrip()}" if channel == "push" else "",
    }  # fmt: skip
    return {
        "pyproject.toml": _filled("pyproject.toml.txt", words),
        "README.md": _filled("README.md.txt", words),
        f"{module}.py": _filled("module.py.txt", words),
        f"tests/test_{provider_id.replace('-', '_')}.py": _filled("test.py.txt", words),
    }


def _filled(name: str, words: dict[str, Any]) -> str:
    return Template((HOME / name).read_text("utf-8")).substitute(words)


def _imports(kind: Channel) -> list[str]:
    own = ["AnyProvider", f"{kind.stem}Content", f"{kind.stem}Provider", kind.credentials, "Receipt"]
    verbs = ["hookimpl", "raise_for_outcome", "read_json"]
    if kind.stem == "Push":
        own, verbs = [*own, "RecipientGone"], [*verbs, "send_to_each"]
    return sorted(own) + verbs


def _kit_imports(kind: Channel) -> list[str]:
    return sorted(["Answer", "Documented", "Vendor", f"{kind.stem}Conformance", *(["Nowhere"] if kind.nowhere else [])])


def _send(kind: Channel) -> str:
    if kind.stem == "Push":
        return _filled("send_push.txt", {}).rstrip()
    body = "\n".join(f'                "{name}": content.{field},' for field, (name, _) in kind.fields.items())
    return _filled("send.txt", {"body": body}).rstrip()


def _fields(kind: Channel) -> str:
    lines = [f'            "{field}": "{place}",' for field, (_, place) in kind.fields.items()]
    return "\n".join([*lines, *([kind.nowhere] if kind.nowhere else [])])


def _lines(names: list[str]) -> str:
    return "\n".join(f"    {name}," for name in names)
