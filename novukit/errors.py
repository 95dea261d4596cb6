"""Every exception novukit raises: a stable ``code`` for machines, a sentence for people, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar


@dataclass(frozen=True)
class Issue:
    """One thing that is wrong with an input.

    ``path`` is a JSON Pointer (RFC 6901) into the input, ``""`` for the whole of it.
    """

    path: str
    code: str
    message: str
    hint: str | None = None


class NovukitError(Exception):
    """Something went wrong in novukit.

    The docstring of each subclass is its default message. ``hint`` says what to do, ``issues`` names each
    field that is wrong, ``retryable`` whether the same call may succeed later.
    """

    code: ClassVar[str] = "novukit_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, *, hint: str | None = None, issues: Sequence[Issue] = ()) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = hint
        self.issues = tuple(issues)
        super().__init__(f"{self.message} {hint}" if hint else self.message)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint for a name that does not exist: the closest known one, or the first few known."""
    names = sorted(known)
    if close := get_close_matches(word, names, n=1, cutoff=0.6):
        return f"Did you mean {close[0]!r}?"
    if names:
        more = ", …" if len(names) > 5 else ""
        return f"Known: {', '.join(names[:5])}{more}."
    return None


# Input and look-up


class InvalidInput(NovukitError):
    """The input breaks a rule; ``issues`` names each field."""

    code = "invalid_input"


class MalformedBody(NovukitError):
    """The request body could not be read."""

    code = "malformed_body"


class PayloadInvalid(NovukitError):
    """The payload does not fit the workflow's payload schema."""

    code = "payload_invalid"


class TooLarge(NovukitError):
    """The input is larger than the limit."""

    code = "too_large"


class NotFound(NovukitError):
    """There is nothing under this id."""

    code = "not_found"


class WorkflowNotFound(NotFound):
    """No workflow has this id."""

    code = "workflow_not_found"


class Conflict(NovukitError):
    """The thing exists already, or is in a state that does not allow this."""

    code = "conflict"


class NothingToResolve(InvalidInput):
    """There is no message of unknown outcome at which the execution stands."""

    code = "nothing_to_resolve"


class ResolvedOtherwise(InvalidInput):
    """Somebody has said something else of this message before."""

    code = "resolved_otherwise"


class TransactionIdReused(NovukitError):
    """This transaction id was used before with another body."""

    code = "transaction_id_reused"


class IdempotencyKeyReused(NovukitError):
    """This Idempotency-Key was used before with another request."""

    code = "idempotency_key_reused"


class IdempotencyKeyInUse(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency_key_in_use"
    retryable = True


class Unauthorized(NovukitError):
    """The call carries no valid secret key."""

    code = "unauthorized"


class SessionInvalid(Unauthorized):
    """The call carries no valid token of an inbox session."""

    code = "session_invalid"


class SessionRefused(NovukitError):
    """The inbox session cannot be opened."""

    code = "session_refused"


class OriginRefused(NovukitError):
    """Pages of this origin may not speak to the inbox."""

    code = "origin_not_allowed"


class NotSupported(NotFound):
    """novukit leaves this operation out on purpose."""

    code = "not_supported"


# Authoring


class WorkflowInvalid(NovukitError):
    """A workflow definition breaks a rule."""

    code = "workflow_invalid"


class StepMisuse(NovukitError):
    """A step was used in a way that cannot be made durable."""

    code = "step_misuse"


class StepRepeated(StepMisuse):
    """The same step id was used twice without a ``key=``."""

    code = "step_repeated"


class StepInFinally(StepMisuse):
    """A step was begun in a ``finally`` block while the execution was being suspended."""

    code = "step_in_finally"


class StepConcurrent(StepMisuse):
    """A step was begun while another one was still in progress."""

    code = "step_concurrent"


class StepUndeclared(StepMisuse):
    """A step ran that discovery did not find in the workflow's source."""

    code = "step_undeclared"


class StepFailed(NovukitError):
    """A step failed for good, after its retries.

    Catch it to fall back to another channel; uncaught, the execution fails at this step and can be resumed there.
    ``step`` is the step's id, ``reason`` the value of a :class:`novukit.model.Reason`.
    """

    code = "step_failed"

    def __init__(self, step: str, reason: str, detail: str = "") -> None:
        self.step, self.reason, self.detail = step, reason, detail
        super().__init__(f"Step {step!r} failed: {reason}{f' ({detail})' if detail else ''}.")


class ReplayDiverged(NovukitError):
    """The workflow's code no longer fits the steps that this execution has on record."""

    code = "replay_diverged"


class NotSerialisable(NovukitError):
    """A value that must be kept cannot be written as JSON."""

    code = "not_serialisable"


# Providers and rendering


class ProviderNotFound(NotFound):
    """No installed plugin registers this provider."""

    code = "provider_not_found"


class PluginInvalid(NovukitError):
    """A plugin breaks the provider contract."""

    code = "plugin_invalid"


class CredentialsInvalid(NovukitError):
    """The credentials do not fit what the provider asks for."""

    code = "credentials_invalid"


class UnsupportedFeature(NovukitError):
    """The message uses a feature that the provider cannot express."""

    code = "unsupported_feature"


class AddressRefused(NovukitError):
    """The address of an outgoing request is not allowed."""

    code = "address_refused"


class TemplateFailed(NovukitError):
    """A template could not be rendered."""

    code = "template_failed"


# Workflows that run elsewhere


class BridgeFailed(NovukitError):
    """The application behind the bridge refused, or its answer makes no sense.

    ``step`` is the step whose result it missed, if that was why.
    """

    code = "bridge_failed"
    step: str | None = None


class BridgeUnavailable(BridgeFailed):
    """The application behind the bridge does not answer.

    ``retry_after`` is how many seconds it asked to be left alone, if it did.
    """

    code = "bridge_unavailable"
    retryable = True
    retry_after: float | None = None


# Configuration, store, operation


class SettingsInvalid(NovukitError):
    """The configuration does not make sense."""

    code = "settings_invalid"


class SecretMissing(SettingsInvalid):
    """A secret that the configuration names is not set."""

    code = "secret_missing"


class ExtraMissing(SettingsInvalid):
    """A part of novukit is needed that is not installed."""

    code = "extra_missing"


class DecryptionFailed(NovukitError):
    """A stored secret cannot be decrypted with the keys at hand."""

    code = "decryption_failed"


class SchemaOutdated(NovukitError):
    """The database schema is older than this novukit."""

    code = "schema_outdated"


class SchemaNewer(NovukitError):
    """The database schema is newer than this novukit."""

    code = "schema_newer"


class DatabaseUnavailable(NovukitError):
    """The database does not answer."""

    code = "database_unavailable"
    retryable = True


class SyncRefused(NovukitError):
    """The sync would do something that needs a flag."""

    code = "sync_refused"


class SyncConflict(NovukitError):
    """Another sync came first; the plan is out of date."""

    code = "sync_conflict"


class Unreachable(NovukitError):
    """The novukit server does not answer."""

    code = "unreachable"
    retryable = True


class LeaseLost(NovukitError):
    """This worker's lease has lapsed; another one may have taken its work over."""

    code = "lease_lost"
