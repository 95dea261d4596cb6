"""Credentials: how they are read, described and kept from being told."""

from __future__ import annotations

import io
import json
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator

from novukit.errors import CredentialsInvalid
from novukit.providers import (
    CredentialField,
    Credentials,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    HttpClient,
    PluginHost,
    PluginInvalid,
    Receipt,
    SmsContent,
    SmsProvider,
    describe_credentials,
)
from novukit.providers.credentials import read, secrets_of
from novukit.providers.redaction import mask, one_line, tell

CANARY = "CANARY_7_9f3a"


class Nested(Credentials):
    token: SecretStr


class Gate(EmailCredentials):
    api_key: SecretStr = Field(description="Found under Settings.")
    region: str = "eu"
    port: int = 443
    extra: dict[str, SecretStr] = Field(default_factory=dict)
    nested: Nested | None = None

    @field_validator("region")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ("eu", "us"):
            raise ValueError(f"{value} is not a region")
        return value


class GateProvider(EmailProvider[Gate]):
    id = "gate"

    async def send(self, content: EmailContent, key: str) -> Receipt:
        return Receipt()


@pytest.mark.parametrize(
    "raw",
    [
        {"apiKey": CANARY, "senderName": "Shop", "from": "a@x.example"},
        {"api_key": CANARY, "sender_name": "Shop", "sender": "a@x.example"},
        {"apiKey": f"{CANARY}\n", "senderName": "Shop\r\n", "from": "a@x.example", "region": "", "port": None},
        {"apiKey": CANARY, "senderName": "Shop", "from": "a@x.example", "port": "443"},
    ],
)
def test_names_are_read_as_on_the_wire_and_as_in_python(raw: dict[str, Any]) -> None:
    """camelCase and snake_case; a newline at the end goes, and what is empty counts as left out."""
    read_ = read(Gate, raw, provider_id="gate")

    assert (
        read_.api_key.get_secret_value(),
        read_.sender_name,
        read_.sender,
        read_.region,
        read_.port,
    ) == (CANARY, "Shop", "a@x.example", "eu", 443)


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        ({}, "/apiKey", "required"),
        ({"api_key": ""}, "/api_key", "required"),
        ({"apiKey": 1}, "/apiKey", "wrong_type"),
        ({"apiKey": "k", "apikey": "k"}, "/apikey", "unknown_field"),
        ({"apiKey": "k", "a/b~c": 1}, "/a~1b~0c", "unknown_field"),
        ({"apiKey": "k", "api_key": "k"}, "/api_key", "given_twice"),
        ({"apiKey": "k", "port": "x"}, "/port", "wrong_type"),
        ({"apiKey": "k", "region": "mars"}, "/region", "invalid"),
    ],
)
def test_each_field_that_is_wrong_is_named(raw: dict[str, Any], path: str, code: str) -> None:
    """By the name under which the caller gave it."""
    with pytest.raises(CredentialsInvalid) as refused:
        read(Gate, raw, provider_id="gate")

    assert [(path, code)] == [(issue.path, issue.code) for issue in refused.value.issues]
    assert "gate" in refused.value.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    """With what was meant, and where it is found."""
    with pytest.raises(CredentialsInvalid) as refused:
        read(Gate, {"apikey": "k", "port": "x"}, provider_id="gate")

    assert {"/apikey", "/port", "/apiKey"} == {issue.path for issue in refused.value.issues}
    assert "Did you mean 'apiKey'?" in refused.value.message
    assert "Found under Settings." in refused.value.message


def test_a_provider_tells_its_fields() -> None:
    """For a form, or for the command line."""
    fields = {field.name: field for field in describe_credentials(GateProvider)}

    assert CredentialField("api_key", "apiKey", True, True, "Found under Settings.") == fields["api_key"]
    assert (
        fields["sender_name"].wire,
        fields["sender_name"].required,
        fields["sender_name"].secret,
    ) == ("senderName", False, False)
    assert fields["sender"].wire == "from"
    assert fields["extra"].secret
    assert describe_credentials(GateProvider)[0].name == "api_key"


def test_the_schema_speaks_the_wires_names_and_marks_secrets() -> None:
    """Studio draws its form from it."""
    schema = PluginHost([module(GateProvider)], installed=False).credentials_schema("gate")

    assert {"from", "senderName", "apiKey", "region", "port", "extra", "nested"} == set(schema["properties"])
    assert (schema["properties"]["apiKey"]["format"], schema["properties"]["apiKey"]["writeOnly"]) == ("password", True)
    assert schema["required"] == ["apiKey"]


def test_a_provider_knows_the_integrations_sender() -> None:
    """``from`` and ``senderName`` of the integration."""
    host = PluginHost([module(GateProvider)], installed=False)

    provider = host.build("gate", {"apiKey": "k", "from": "a@x.example", "senderName": "Shop"})

    assert (provider.sender, provider.sender_name) == ("a@x.example", "Shop")


def module(*providers: Any) -> Any:
    from types import SimpleNamespace

    from novukit.providers import hookimpl

    @hookimpl
    def novukit_providers() -> list[Any]:
        return list(providers)

    return SimpleNamespace(__name__="given", novukit_providers=novukit_providers)


class Rude(EmailProvider[Gate]):
    """Tells its key when it is built."""

    id = "rude"

    def __init__(self, credentials: Gate, http: HttpClient) -> None:
        raise ValueError(f"the key {credentials.api_key.get_secret_value()} is odd")

    async def send(self, content: EmailContent, key: str) -> Receipt:
        return Receipt()


def test_no_secret_is_told_by_anything_that_can_be_printed() -> None:
    """Walk: repr, str, format, JSON, errors with their causes, issues, statuses, output."""
    out = io.StringIO()
    raw = {"apiKey": CANARY, "extra": {"a": CANARY}, "nested": {"token": CANARY}}
    with redirect_stdout(out), redirect_stderr(out):
        host = PluginHost([module(GateProvider, Rude)], installed=False)
        provider = host.build("gate", raw)
        seen = [
            repr(provider),
            str(provider),
            f"{provider.credentials}",
            repr(provider.credentials),
            repr(vars(provider)),
        ]
        seen += [provider.credentials.model_dump_json(), str(provider.credentials.model_dump()), repr(host.statuses)]
        bad = [{**raw, "port": CANARY}, {**raw, "nested": {"token": 1, "x": CANARY}}, {**raw, "extra": CANARY}]
        bad += [{"apiKey": [CANARY]}, {"apiKey": {"k": CANARY}}, {**raw, "region": f"{CANARY}"}]
        for provider_id, given in [("rude", raw), *(("gate", one) for one in bad)]:
            with pytest.raises(Exception) as refused:  # noqa: PT011
                host.build(provider_id, given)
            seen += [str(refused.value), repr(refused.value), repr(vars(refused.value))]
            seen += ["".join(traceback.format_exception(refused.value))]

    leaks = [text for text in [*seen, out.getvalue()] if CANARY in text]
    assert leaks == []


def test_credentials_that_a_plugin_builds_itself_tell_no_secret_either() -> None:
    """pydantic's own error shows what it was given, unless it is told not to."""
    with pytest.raises(ValidationError) as refused:
        Gate.model_validate({"apiKey": [CANARY], "port": CANARY, "nested": CANARY})

    assert CANARY not in str(refused.value)


def test_every_secret_is_known_wherever_it_sits() -> None:
    """In models within models and in mappings."""
    read_ = read(Gate, {"apiKey": "one", "extra": {"a": "two"}, "nested": {"token": "three"}}, provider_id="gate")

    assert secrets_of(read_) == ["one", "two", "three"]


def test_a_secret_is_known_whatever_its_field_is_called() -> None:
    """Only fields of plain text and numbers are passed over."""

    class Odd(Credentials):
        maybe: SecretStr | None
        anything: Any
        either: str | SecretStr
        many: list[SecretStr]
        host: str | None = None

    odd = Odd(maybe=SecretStr("one"), anything={"a": SecretStr("two")}, either=SecretStr("three"),
              many=[SecretStr("four")], host="mail")  # fmt: skip

    assert secrets_of(odd) == ["one", "two", "three", "four"]


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nabcdefghijklmnopqrstuvwxyz012345\n-----END"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("pa ss/wörd", "in a URL: pa%20ss%2Fw%C3%B6rd"),
        ("pa ss/wörd", "in a form: pa+ss%2Fw%C3%B6rd"),
        ('a"b\\cdef', "in JSON: " + json.dumps('a"b\\cdef')),
        ("secretive", "base64: c2VjcmV0aXZl"),
        (PEM, f"line {PEM.splitlines()[1]} alone"),
        (json.dumps({"private_key": PEM}), f"key: {PEM!r}"),
    ],
)
def test_a_secret_is_known_however_it_is_spelled(secret: str, text: str) -> None:
    """As URLs, forms, JSON and base64 write it, and in parts if it is long."""
    masked = mask(text, [secret])

    assert "***" in masked
    for part in ("ss/w", "ss%2Fw", "c2VjcmV0", "MIIEvQ", 'a\\"b'):
        assert part not in masked


def test_a_very_short_secret_does_not_eat_other_words() -> None:
    """It is masked where it stands alone."""
    assert mask("a says: abc was wrong", ["a"]) == "*** says: abc was wrong"


def test_an_empty_secret_masks_nothing() -> None:
    """There is nothing to hide."""
    assert mask("abc", ["", "  "]) == "abc"


def test_one_line_is_short_and_printable() -> None:
    """Control characters and line breaks go, the rest is cut with a sign of it."""
    assert one_line("a\n\tb\x1b[31m\0 c") == "a b [31m c"
    assert len(one_line("x" * 5000)) == 200
    assert tell(f"{CANARY} " + "y" * 9, [CANARY], limit=5) == "*** …"


def test_a_validator_that_fails_is_the_plugins_fault() -> None:
    """It is named, and what it was given is not told."""

    class Odd(Credentials):
        api_key: SecretStr

        @field_validator("api_key")
        @classmethod
        def _break(cls, value: SecretStr) -> SecretStr:
            raise KeyError(value.get_secret_value())

    class OddProvider(SmsProvider[Odd]):
        id = "odd"

        async def send(self, content: SmsContent, key: str) -> Receipt:
            return Receipt()

    with pytest.raises(PluginInvalid, match=r"odd .* could not be built: KeyError: '\*\*\*'"):
        PluginHost([module(OddProvider)], installed=False).build("odd", {"apiKey": CANARY})
