"""``Settings``: what ``novukit.toml`` and the environment variables say; strict, with secrets read late."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ..errors import SecretMissing, SettingsInvalid
from ..model.catalogue import DEFAULT_LOCALE
from ..model.manifest import Identifier
from ..model.routing import Routing, When
from ..model.step import Channel
from ..model.translation import LocaleName
from . import keys, problems
from .ages import age
from .document import FILE_NAME, Document

__all__ = [
    "FILE_NAME", "BridgeSettings", "InboxSettings", "IntegrationSettings", "LogSettings", "MetricsSettings",
    "SecretRef", "Settings", "WorkerSettings", "age",
]  # fmt: skip

ENVIRONMENT_VARIABLES = {
    "NOVUKIT_DATABASE": "database",
    "NOVUKIT_BROKER": "broker",
    "NOVUKIT_ENVIRONMENT": "environment",
    "NOVUKIT_URL": "url",
    "NOVUKIT_SECRET_KEY": "secret_key",
    "NOVUKIT_LOG": "log.format",
    "NOVUKIT_LOG_LEVEL": "log.level",
    "NOVUKIT_METRICS_HOST": "metrics.host",
}
"""What overrides the file; an empty variable counts as not set. ``master_keys`` reads ``NOVUKIT_MASTER_KEY``, late."""

NOT_IN_FILE = frozenset({"secret_key", "root", "file", "warnings"})

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Field(strict=False)]
"""A TOML list, kept as a tuple."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]

_SECRET_NAME = re.compile(r"(secret|password|passwd|token|apikey|privatekey|signingkey|accesskey)$")
_HTTP = re.compile(r"^https?://[^/\s]+", re.IGNORECASE)
_BROKER = re.compile(r"^([a-z][a-z0-9+.-]*://|[A-Za-z_][\w.]*:[A-Za-z_]\w*(\?|$))", re.IGNORECASE)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SecretRef(_Table):
    """``{ env = "NAME" }``: a value that is read from the environment variable when it is needed, and not before."""

    env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")

    def resolved(self, key: str, environ: Mapping[str, str] | None = None) -> str:
        """The variable's value. Raises :class:`SecretMissing`, naming ``key`` and the variable, if unset or empty."""
        if value := (os.environ if environ is None else environ).get(self.env, ""):
            return value
        raise SecretMissing(
            f"{key} needs the environment variable {self.env}, which is not set.", hint=f"export {self.env}=…"
        )


class WorkerSettings(_Table):
    """How a worker works; times are in seconds."""

    concurrency: int = Field(default=200, ge=1, le=1000)
    """How many executions may be under way at a time, in each of its processes."""
    processes: int | None = Field(default=None, ge=1, le=64)
    """How many processes ``novukit worker`` has. Unless it is said: one for each core, four at most; on SQLite one."""
    lease: Seconds = 8.0
    """How long a worker that falls silent keeps what it took."""
    sweep: Seconds = 5.0
    """How often a worker looks for due work without being rung. No lost ring costs more than that."""
    grace: Seconds = 20.0
    """How long calls that are under way may take to end when the worker stops. No call begins in that time."""
    max_takeovers: int = Field(default=20, ge=1, le=1000)
    """How many workers in a row may die while they run an execution, before it is parked as poison."""


class BridgeSettings(_Table):
    """Workflows that run in another application, and the way by which Novu's server runs ours."""

    timeout: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 5.0
    """How long an application may take to answer for one step, in seconds."""
    allow_private: bool = False
    """Whether an application may be at a private address, without TLS. In Development it always may."""
    strict: bool | None = None
    """Whether calls to ``/api/novu`` must be signed; unless it is said: everywhere but in Development."""
    secret: SecretRef | None = None
    """The secret key with which Novu's server signs; ``NOVU_SECRET_KEY`` unless it names another variable."""

    def secrets(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """Novu's key, if there is one. Raises :class:`SecretMissing` when the file names a variable that is not set."""
        if self.secret is not None:
            return [self.secret.resolved("bridge.secret", environ)]
        found = (os.environ if environ is None else environ).get("NOVU_SECRET_KEY")
        return [found] if found else []


class LogSettings(_Table):
    """What servers and workers write to stderr, one line an event."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "warning"


class MetricsSettings(_Table):
    """Who may see the metrics. Without a token there are none on the server, without a port none on workers."""

    token: SecretRef | None = None
    """What a scrape must carry; ``NOVUKIT_METRICS_TOKEN`` unless it names another variable."""
    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65_535)

    def secret(self, environ: Mapping[str, str] | None = None) -> str | None:
        """The token, if there is one. Raises :class:`SecretMissing` when the file names a variable that is not set."""
        if self.token is not None:
            return self.token.resolved("metrics.token", environ)
        return (os.environ if environ is None else environ).get("NOVUKIT_METRICS_TOKEN") or None


class InboxSettings(_Table):
    """Who may open an inbox in a browser. What is not said depends on where it runs; see docs/inbox.md."""

    origins: Many[Annotated[str, Field(pattern=r"^(\*|https?://(\*\.)?[^/\s*?#@]+)$", max_length=300)]] = ()
    """Whose pages may: ``https://app.example.com``, ``https://*.example.com``, or ``*`` for all."""
    require_hmac: bool | None = None
    """Whether a session needs a subscriberHash; unless it is said, in every environment but those for development."""


class IntegrationSettings(_Table):
    """A provider with credentials, as the file declares it; in every environment unless ``environments`` names some."""

    identifier: Identifier
    provider: str = Field(min_length=1, max_length=100)
    channel: Channel | None = None
    name: str | None = Field(default=None, max_length=200)
    environments: Many[Slug] = ()
    primary: bool | None = None
    active: bool = True
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    """How many of its messages one worker may be sending at a time; unless it is said, three quarters of its places."""
    when: When = When()
    """What must be so for it to be used."""
    weight: int = Field(default=0, ge=0, le=1000)
    """Its share of the channel's messages, among those with a weight."""
    rate: float | None = Field(default=None, gt=0, le=100_000)
    """Messages a second, of all workers together; the provider's own limit unless it is said."""
    on_unknown: Literal["stay", "next"] = "stay"
    """Whether a message whose outcome nobody knows may go to another integration."""
    credentials: dict[str, Any] = Field(default={}, repr=False)

    @property
    def routing(self) -> Routing:
        """What is said of its routing."""
        return Routing(when=self.when, weight=self.weight, rate=self.rate, on_unknown=self.on_unknown)

    @field_validator("credentials")
    @classmethod
    def _references(cls, credentials: dict[str, Any]) -> dict[str, Any]:
        return {name: _reference(value) for name, value in credentials.items()}

    def serves(self, environment: str) -> bool:
        """Whether the environment of this slug gets the integration."""
        return not self.environments or environment in self.environments

    def resolved(self, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The credentials with each ``{ env = … }`` read. Raises :class:`SecretMissing`."""
        where = f"credentials.{{}} of integration {self.identifier!r}"
        return {
            name: value.resolved(where.format(name), environ) if isinstance(value, SecretRef) else value
            for name, value in self.credentials.items()
        }

    def written_secrets(self) -> list[str]:
        """Names of the credentials that look like secrets and stand in the file in plain text."""
        return [
            name
            for name, value in self.credentials.items()
            if isinstance(value, str) and value and _SECRET_NAME.search(name.replace("_", "").replace("-", "").lower())
        ]


class Settings(_Table):
    """Everything that can be configured. Relative paths and SQLite files are taken from ``root``, the file's folder."""

    root: Annotated[Path, Field(strict=False)] = Field(default_factory=Path.cwd)
    file: Annotated[Path | None, Field(strict=False)] = None
    environment: Slug = "development"
    locale: LocaleName = DEFAULT_LOCALE
    workflows: Many[str] = ()
    templates: Many[Annotated[Path, Field(strict=False)]] = ()
    database: str = Field(default="sqlite:///novukit.db", repr=False, validate_default=True)
    broker: str = Field(default="memory://", repr=False)
    url: str | None = None
    public_url: str | None = None
    """Under which URL vendors reach the server, where something stands before it: their signatures may cover it."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    master_key: SecretRef | None = None
    secret_key: str | None = Field(default=None, repr=False, exclude=True)
    integrations: Many[IntegrationSettings] = ()
    worker: WorkerSettings = WorkerSettings()
    retention: str | None = None
    """How old what has ended may become before workers delete it; without it everything is kept."""
    inbox: InboxSettings = InboxSettings()
    bridge: BridgeSettings = BridgeSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: bool = False
    warnings: tuple[str, ...] = Field(default=(), exclude=True)
    """What is allowed but unwise, in sentences: the command line shows them."""

    @field_validator("workflows")
    @classmethod
    def _module_names(cls, modules: tuple[str, ...]) -> tuple[str, ...]:
        for module in modules:
            if not all(part.isidentifier() for part in module.split(".")):
                hint = module.removesuffix(".py").replace("/", ".").replace("\\", ".").strip(".")
                raise ValueError(f"{module!r} is not the name of a Python module; write it as in an import: {hint!r}.")
        return modules

    @field_validator("templates")
    @classmethod
    def _template_folders(cls, folders: tuple[Path, ...], info: ValidationInfo) -> tuple[Path, ...]:
        return tuple(info.data.get("root", Path()) / folder for folder in folders)

    @field_validator("database")
    @classmethod
    def _database_url(cls, url: str, info: ValidationInfo) -> str:
        if url.startswith("sqlite:///") and (file := url.removeprefix("sqlite:///")):
            return url if file == ":memory:" else f"sqlite:///{info.data.get('root', Path()) / file}"
        if url.startswith(("postgres://", "postgresql://")):
            return url
        raise ValueError(
            "this is not a database URL; write sqlite:///novukit.db or postgres://user:password@host:5432/name."
        )

    @field_validator("url")
    @classmethod
    def _server_url(cls, url: str | None) -> str | None:
        if url is not None and not _HTTP.match(url):
            raise ValueError("this is not the URL of a server; write http://host:8000.")
        return url

    @field_validator("public_url")
    @classmethod
    def _public(cls, url: str | None) -> str | None:
        if url is not None and (not _HTTP.match(url) or "?" in url or "#" in url):
            raise ValueError("this is not the URL of a server; write https://notify.example.com.")
        return url.rstrip("/") if url else url

    @field_validator("retention")
    @classmethod
    def _an_age(cls, text: str | None) -> str | None:
        if text is not None:
            age(text)
        return text

    @property
    def kept_for(self) -> timedelta | None:
        """:attr:`retention` as a span."""
        return None if self.retention is None else age(self.retention)

    @field_validator("broker")
    @classmethod
    def _broker_url(cls, url: str) -> str:
        if not _BROKER.match(url):
            raise ValueError(
                "this is not a broker URL; write memory://, redis://host:6379/0 or package.module:BrokerClass."
            )
        return url

    @classmethod
    def load(cls, path: Path | None = None, *, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings of ``path`` (a file, or its folder), else of the nearest ``novukit.toml`` from here upwards.

        Raises :class:`SettingsInvalid` naming file, line and column, or the environment variable.
        """
        environ = os.environ if environ is None else environ
        document = Document.find(path)
        found = {field: environ[name] for name, field in ENVIRONMENT_VARIABLES.items() if environ.get(name)}
        variables = {field: name for name, field in ENVIRONMENT_VARIABLES.items() if field in found}
        if misplaced := sorted(NOT_IN_FILE & document.data.keys()):
            raise problems.misplaced(document, misplaced[0])
        values = {**_over(document.data, found), "root": document.path.parent, "file": document.path}
        try:
            settings = cls.model_validate(values)
        except ValidationError as err:
            raise problems.explain(err, cls, document, variables) from None
        return settings.model_copy(update={"warnings": tuple(_judge(settings, document))})

    def for_environment(self, slug: str) -> Settings:
        """The same settings for another environment. Raises :class:`SettingsInvalid` if ``slug`` cannot be one."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug):
            raise SettingsInvalid(
                f"{slug[:64]!r} cannot name an environment.",
                hint="Use the environment's slug, as `novukit environments list` shows it: production, for example.",
            )
        return self.model_copy(update={"environment": slug})

    def known_secrets(self, environ: Mapping[str, str] | None = None) -> set[str]:
        """All that must never be told, as far as file and variables say: keys, passwords, credentials, the token."""
        environ = os.environ if environ is None else environ
        variables = {"NOVUKIT_MASTER_KEY", "NOVUKIT_METRICS_TOKEN", "NOVU_SECRET_KEY"}
        variables |= {one.env for one in (self.master_key, self.metrics.token, self.bridge.secret) if one}
        values = {self.secret_key, *(environ.get(name) for name in variables)}
        values |= {part for value in list(values) if value for part in re.split(r"[,:\s]", value)}
        for url in (self.database, self.broker):
            password = re.match(r"[\w+.-]+://[^@/]*:([^@]*)@", url)
            values |= {password[1], unquote(password[1])} if password else set()
        for integration in self.integrations:
            for value in integration.credentials.values():
                values.add(environ.get(value.env) if isinstance(value, SecretRef) else None)
            values |= {str(integration.credentials[name]) for name in integration.written_secrets()}
        return {value for value in values if value}

    def master_keys(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """The keys that open stored secrets, each ``kid:base64`` of 32 bytes; the first one seals.

        From ``NOVUKIT_MASTER_KEY`` (or the variable that ``master_key`` names); for a SQLite database else from a
        file of its own, made on first use. Raises :class:`SecretMissing` or :class:`SettingsInvalid`.
        """
        environ = os.environ if environ is None else environ
        variable = self.master_key.env if self.master_key else "NOVUKIT_MASTER_KEY"
        if text := environ.get(variable, "").strip():
            return keys.parse(text, variable)
        if self.database.startswith("sqlite:"):
            return keys.of_folder(self.root / ".novukit")
        raise SecretMissing(
            f"The master key is missing: the environment variable {variable} is not set.",
            hint=f"Make one with `novukit keys master`, keep it safe, and set {variable} for every process.",
        )


def _over(data: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, Any]:
    """The file's keys with the variables' put over them; ``log.format`` goes into the table ``log``."""
    made = dict(data)
    for field, value in found.items():
        table, dot, name = field.partition(".")
        inner = made.get(table, {})
        if not dot:
            made[field] = value
        elif isinstance(inner, dict):  # anything else there is told as the mistake that it is
            made[table] = {**cast("dict[str, Any]", inner), name: value}
    return made


def _reference(value: object) -> object:
    if isinstance(value, dict) and "env" in value:
        return SecretRef.model_validate(cast("object", value))
    return cast("object", value)


def _judge(settings: Settings, document: Document) -> list[str]:
    """Warnings about the file; in any environment but Development a secret written in it is an error."""
    warnings: list[str] = []
    seen: dict[str, int] = {}
    for number, integration in enumerate(settings.integrations):
        place = ("integrations", number, "identifier")
        if (first := seen.setdefault(integration.identifier, number)) != number:
            raise problems.twice(document, integration.identifier, place, ("integrations", first, "identifier"))
        for name in integration.written_secrets():
            problem = problems.written_secret(document, integration.identifier, number, name)
            if settings.environment != "development" and integration.serves(settings.environment):
                raise problem
            warnings.append(f"{problem.message} {problem.hint}")
    if warnings and document.world_readable:
        warnings.append(f"{document.path} holds secrets and everyone on this machine can read it (chmod 600).")
    return warnings
