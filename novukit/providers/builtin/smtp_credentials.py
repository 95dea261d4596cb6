"""What an ``smtp`` integration is given: where the server is, who we are to it, and how it is to be used."""

from __future__ import annotations

import ssl
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from novukit.providers import EmailCredentials

from .smtp_dkim import signing_key
from .smtp_session import Mechanism

DOMAIN = r"^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$"


class TlsOptions(BaseModel):
    """Of Nodemailer's ``tls`` object, what has a meaning here; anything else is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    reject_unauthorized: bool = True
    ca: str | None = None


class SmtpCredentials(EmailCredentials):
    """Where the server is, who we are to it, and how it is to be used."""

    host: str = Field(
        min_length=1, max_length=253, pattern=r"^[^\s/@]+$", description="Host name or address of the server."
    )
    port: int = Field(default=587, ge=1, le=65535, description="587 for STARTTLS, 465 with `secure`, 25 for relays.")
    user: str | None = Field(default=None, description="User name, if the server asks for one.")
    password: SecretStr | None = Field(
        default=None, description="Password, if the server asks for one; with `auth` xoauth2 the access token."
    )
    auth: Mechanism = Field(
        default="auto", description="How to log in: auto, plain, login, cram-md5 or xoauth2 (`password` is the token)."
    )
    secure: bool = Field(default=False, description="Use TLS from the first byte (usually port 465).")
    require_tls: bool = Field(default=False, description="Refuse to send unless the server offers STARTTLS.")
    ignore_tls: bool = Field(default=False, description="Send in the clear even if the server offers STARTTLS.")
    verify: bool = Field(default=True, description="Whether the server's certificate must be trusted and its own.")
    ca: str | None = Field(default=None, description="Certificates to trust instead of the machine's, in PEM.")
    ca_file: str | None = Field(default=None, description="The same as the path of a file.")
    tls_options: TlsOptions = Field(
        default=TlsOptions(), description="Novu's name for `verify` (rejectUnauthorized) and `ca`."
    )
    timeout: float = Field(default=10.0, gt=0, le=120, description="Seconds until the server must have answered.")
    client_name: str | None = Field(
        default=None,
        max_length=255,
        pattern=r"^[A-Za-z0-9._:\[\]-]+$",
        description="Our name in the greeting (EHLO); the machine's full name or address if left out.",
    )
    return_path: str | None = Field(
        default=None,
        pattern=r"^[^\s@<>]+@[^\s@<>]+$",
        description="Where bounces go, the sender if left out: {id} is the message's id, {to} the recipient (VERP).",
    )
    dkim_domain: str | None = Field(
        default=None, alias="domain", pattern=DOMAIN, max_length=253, description="Domain that signs by DKIM."
    )
    dkim_selector: str | None = Field(
        default=None, alias="accountSid", pattern=DOMAIN, max_length=253, description="Selector of the DKIM key."
    )
    dkim_key: SecretStr | None = Field(default=None, alias="secretKey", description="Private DKIM key: RSA, in PEM.")
    connections: int = Field(default=5, ge=1, le=100, description="Most connections to the server at a time.")
    messages_per_connection: int = Field(
        default=100, ge=1, le=10_000, description="Messages after which a connection is closed; 1 keeps none."
    )
    idle: float = Field(default=15.0, gt=0, le=300, description="Seconds after which an unused connection is closed.")

    @field_validator("tls_options", mode="before")
    @classmethod
    def _tls_options_may_be_text(cls, given: Any) -> Any:
        return from_json(given) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _tls_makes_sense(self) -> SmtpCredentials:
        if self.ignore_tls and (self.require_tls or self.secure):
            raise ValueError("ignoreTls contradicts requireTls and secure")
        if sum(given is not None for given in (self.ca, self.ca_file, self.tls_options.ca)) > 1:
            raise ValueError("ca, caFile and tlsOptions.ca are the same; give one of them")
        if self.authorities is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=self.authorities)
            except (ssl.SSLError, ValueError):
                raise ValueError("ca holds no certificate in PEM") from None
        return self

    @model_validator(mode="after")
    def _login_makes_sense(self) -> SmtpCredentials:
        if self.password and not self.user:
            raise ValueError("a password needs a user")
        if self.user and not self.password:
            raise ValueError("a user needs a password")
        return self

    @model_validator(mode="after")
    def _dkim_makes_sense(self) -> SmtpCredentials:
        named = (self.dkim_domain, self.dkim_selector, self.dkim_key)
        if any(named) and not all(named):
            raise ValueError("DKIM needs all of domain, accountSid (the selector) and secretKey (the private key)")
        if self.dkim_key is not None:
            signing_key(self.dkim_key.get_secret_value())
        return self

    @property
    def verifies(self) -> bool:
        """Whether a certificate that is not trusted ends the connection."""
        return self.verify and self.tls_options.reject_unauthorized

    @property
    def authorities(self) -> str | None:
        """Certificates to trust, in PEM; None for a file's or the machine's."""
        given = self.ca if self.ca is not None else self.tls_options.ca
        # In an environment variable and in a form of one line, line ends are often written as \n.
        return given.replace("\\n", "\n") if given is not None else None
