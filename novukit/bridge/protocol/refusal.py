"""``Refusal``: an error as the bridge protocol has it: ``{message, code, data}`` with Novu's codes."""

from __future__ import annotations

import traceback
from typing import Any

from ...errors import Issue

_STATUS = {
    "InvalidActionError": 400,
    "ExecutionEventPayloadInvalidError": 400,
    "ExecutionStateCorruptError": 400,
    "ExecutionStateResultInvalidError": 400,
    "SignatureNotFoundError": 401,
    "SignatureInvalidError": 401,
    "SignatureExpiredError": 401,
    "SignatureMismatchError": 401,
    "SigningKeyNotFoundError": 401,
    "WorkflowNotFoundError": 404,
    "StepNotFoundError": 404,
    "MethodNotAllowedError": 405,
    "BridgeError": 500,
    "StepExecutionFailedError": 502,
}
"""The codes that we answer with. Novu's server passes on no others."""


class Refusal(Exception):
    """The answer is an error. ``code`` is one of Novu's."""

    def __init__(self, code: str, message: str, data: Any = None) -> None:
        self.code, self.message, self.data = code, message, data
        super().__init__(message)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return _STATUS[self.code]

    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        told: dict[str, Any] = {"message": self.message, "code": self.code}
        return told if self.data is None else {**told, "data": self.data}


def thrown(step: str, err: BaseException) -> Refusal:
    """The author's code has raised ``err`` on the way to ``step``, or in it."""
    said = f"{type(err).__name__}: {err}" if str(err) else type(err).__name__
    stack = "".join(traceback.format_exception(err))[-8000:]
    return Refusal("StepExecutionFailedError", f"Step {step!r} could not be run: {said}", {"stack": stack})


def unsayable(step: str, what: str, hint: str = "") -> Refusal:
    """``what`` a step asks for has no words in Novu's protocol."""
    return Refusal(
        "StepExecutionFailedError", f"Step {step!r}: {what} cannot be said in Novu's terms.{f' {hint}' if hint else ''}"
    )


def misfits(workflow: str, issues: tuple[Issue, ...]) -> Refusal:
    """The payload does not fit the workflow's model."""
    data = [{"path": issue.path.removeprefix("/payload"), "message": issue.message} for issue in issues]
    return Refusal("ExecutionEventPayloadInvalidError", f"The payload does not fit the workflow {workflow!r}.", data)
