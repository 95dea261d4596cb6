"""Every error as a body in Novu's shape, with our code, our words and what to do; nothing of our insides."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, Literal

from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)  # fmt: skip
from pydantic import Field

from .. import errors
from ..engine.payload import Misfit
from ..errors import Issue, NovukitError
from ..providers import CallbackFailed, CallbackRefused
from ..store.outage import outage
from . import body, filters, issues, parameters
from .auth import REPEATED_HEADER
from .wire import Wire, iso

log = logging.getLogger("novukit.bridge")

AnyRequest = Request[Any, Any, Any]

TRIGGER_ROUTES = ("/v1/events/trigger", "/v1/events/trigger/bulk", "/v1/events/trigger/broadcast")
METHODS: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")

_STATUS: tuple[tuple[type[NovukitError], int], ...] = (
    (errors.MalformedBody, 400),
    (errors.SessionRefused, 400),
    (errors.BridgeFailed, 400),
    (errors.Unauthorized, 401),
    (CallbackRefused, 401),
    (CallbackFailed, 422),  # never a 5xx: some vendors stop calling whoever answers that; they try again after this too
    (errors.OriginRefused, 403),
    (errors.ProviderNotFound, 422),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.SyncConflict, 409),
    (errors.TooLarge, 413),
    (errors.DatabaseUnavailable, 503),
    (errors.SchemaOutdated, 503),
    (errors.SchemaNewer, 503),
    (errors.DecryptionFailed, 503),
    (errors.LeaseLost, 503),
    (NovukitError, 422),
)
"""The first that fits counts. What only an operator can mend is a 503: the same call succeeds once it is mended."""

_STATUS_BY_ISSUE = {body.MEDIA_TYPE: 415, REPEATED_HEADER: 400, filters.UNREAD_IN_ARCHIVE: 400}


class FieldMessages(Wire):
    """What is wrong with one field."""

    messages: list[str]


class Detail(Wire):
    """One thing that is wrong; ``path`` is a JSON pointer into the body, or into the query."""

    path: str
    code: str
    message: str
    hint: str | None = None


class ErrorBody(Wire):
    """The body of every error."""

    status_code: int
    timestamp: str
    path: str
    message: str
    error: str = Field(description="The reason phrase of the status.")
    code: str = Field(description="The kind of error, for machines.")
    request_id: str = Field(description="The same as in the header X-Request-Id.")
    hint: str | None = Field(default=None, description="What to do about it.")
    error_id: str | None = Field(default=None, description="Of a 500: look for it in the server's log.")
    ctx: dict[str, Any] | None = None
    errors: dict[str, FieldMessages] | list[dict[str, Any]] | None = Field(
        default=None, description="Of a 422: what is wrong, by field. Of a 400 to a trigger: a list."
    )
    details: list[Detail] = Field(default=[], description="Each thing that is wrong, at most 50.")
    type: str | None = Field(default=None, description="Of a 400 to a trigger: PAYLOAD_VALIDATION_ERROR, or the code.")


@dataclass
class Problem:
    """An error on its way to becoming a response."""

    status: int
    code: str
    message: str
    hint: str | None = None
    issues: Sequence[Issue] = ()
    headers: dict[str, str] = field(default_factory=dict[str, str])


def request_id(scope: Any, new_id: Any) -> str:
    """The id of this request: our own, whatever the caller sent."""
    if "novukit_request_id" not in scope:
        scope["novukit_request_id"] = str(new_id())
    return scope["novukit_request_id"]


def answer(request: AnyRequest, error: Exception) -> Response[dict[str, Any]]:
    """The response to any error; an unexpected one is logged with its traceback and told as an id."""
    problem = _problem(request, error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        known_as = request_id(request.scope, request.app.state.runtime.new_id)
        log.error("Error %s: %s %s", known_as, request.method, request.url.path, exc_info=error)
    return _response(request, problem)


def stopping(request: AnyRequest) -> Response[dict[str, Any]]:
    """The response to what the server has no time left for."""
    message = "The server is stopping. Whether this was done is not known."
    hint = "Ask again; with the same transactionId nothing is done twice."
    return _response(request, Problem(503, "server_stopping", message, hint, headers={"Retry-After": "1"}))


def _response(request: AnyRequest, problem: Problem) -> Response[dict[str, Any]]:
    runtime = request.app.state.runtime
    known_as = request_id(request.scope, runtime.new_id)
    said = ErrorBody(
        status_code=problem.status,
        timestamp=iso(runtime.clock.now()),
        path=request.url.path,
        message=problem.message,
        error=HTTPStatus(problem.status).phrase,
        code=problem.code,
        request_id=known_as,
        hint=problem.hint,
        error_id=known_as if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR else None,
        details=[Detail(path=i.path, code=i.code, message=i.message, hint=i.hint) for i in problem.issues],
    )
    content = said.model_dump(mode="json", by_alias=True, exclude_none=True) | _contract(request, problem)
    return Response(content, status_code=problem.status, headers=problem.headers, media_type="application/json")


def _contract(request: AnyRequest, problem: Problem) -> dict[str, Any]:
    """The keys without which Novu's SDKs cannot read a 422, or a 400 to a trigger."""
    if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        fields: dict[str, dict[str, list[str]]] = {}
        for issue in problem.issues:
            name = issue.path.removeprefix("/").replace("/", ".") or "body"
            fields.setdefault(name, {"messages": []})["messages"].append(issue.message)
        return {"errors": fields}
    if problem.status == HTTPStatus.BAD_REQUEST and _is_trigger(request):
        payload = problem.code == errors.PayloadInvalid.code
        return {
            "type": "PAYLOAD_VALIDATION_ERROR" if payload else problem.code,
            "errors": [
                {"field": i.path, "message": i.message, "schemaPath": i.schema_path if isinstance(i, Misfit) else ""}
                for i in problem.issues
            ],
        }
    return {}


def _problem(request: AnyRequest, error: Exception) -> Problem:
    match error:
        case NovukitError():
            return _of_ours(request, error)
        case ValidationException():
            return _of_parameters(request, error)
        case MethodNotAllowedException():
            return _method_not_allowed(request)
        case NotFoundException():
            return _no_route(request)
        case HTTPException() if not isinstance(error, InternalServerException):
            phrase = HTTPStatus(error.status_code).phrase
            return Problem(error.status_code, phrase.lower().replace(" ", "_"), error.detail or f"{phrase}.")
        case _:
            away = outage(error)
            return _of_ours(request, away) if away else _broken()


def _broken() -> Problem:
    return Problem(
        500,
        "internal_error",
        "Something in novukit broke. This is not your fault.",
        "Give the errorId to whoever runs this server: its log tells what happened.",
    )


def _of_ours(request: AnyRequest, error: NovukitError) -> Problem:
    status = next(
        (_STATUS_BY_ISSUE[issue.code] for issue in error.issues if issue.code in _STATUS_BY_ISSUE),
        next(status for kind, status in _STATUS if isinstance(error, kind)),
    )
    if _is_trigger(request):
        if isinstance(error, errors.PayloadInvalid):
            status = 400
        elif isinstance(error, errors.WorkflowNotFound):
            status = 422
    headers: dict[str, str] = {}
    if isinstance(error, errors.Unauthorized):
        headers["WWW-Authenticate"] = "Bearer" if isinstance(error, errors.SessionInvalid) else "ApiKey"
    elif isinstance(error, errors.DatabaseUnavailable | errors.IdempotencyKeyInUse):
        headers["Retry-After"] = "1"
    return Problem(status, error.code, error.message, error.hint, error.issues, headers)


def _of_parameters(request: AnyRequest, error: ValidationException) -> Problem:
    """Litestar's complaint: no body where one is needed, or parameters that do not fit."""
    extra: list[Any] = error.extra if isinstance(error.extra, list) else []
    if any(item.get("key") == "data" and item.get("message") == "'data'" for item in extra):
        return _of_ours(request, body.empty())
    handler = request.route_handler
    if any(item.get("key") in parameters.path_parameters(handler) for item in extra):
        return _of_ours(request, errors.NotFound())
    if extra:
        values = {query.field: (name, query.values) for name, query in parameters.declared(handler).items()}
        return _of_ours(request, issues.refusal(issues.of_parameters(extra, values), "The query"))
    name = error.detail.partition("'")[2].partition("'")[0]
    return _of_ours(request, issues.refusal([Issue(f"/{name}", "required", "is required")], "The query"))


def _method_not_allowed(request: AnyRequest) -> Problem:
    allowed = ", ".join(method for method in METHODS if _routes(request, method))
    return Problem(
        405, "method_not_allowed", f"{request.method} is not allowed here.", f"Allowed: {allowed}.",
        headers={"Allow": allowed},
    )  # fmt: skip


def _routes(request: AnyRequest, method: Any) -> bool:
    path = request.scope["path"].removeprefix(request.scope["root_path"]).rstrip("/") or "/"
    try:
        request.app.asgi_router.handle_routing(path=path, method=method)
    except HTTPException:
        return False
    return True


def _no_route(request: AnyRequest) -> Problem:
    path = request.url.path[:200]
    known = {route.path_format for route in request.app.routes}
    close = get_close_matches(path, known, n=1, cutoff=0.75)
    hint = f"Did you mean {close[0]}?" if close else "GET /openapi.json lists all routes."
    return Problem(404, "not_found", f"There is no route {body.shown(path)!r}.", hint)


def _is_trigger(request: AnyRequest) -> bool:
    return request.method == "POST" and request.url.path.rstrip("/").endswith(TRIGGER_ROUTES)
