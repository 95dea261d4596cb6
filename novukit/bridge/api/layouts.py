"""Layouts: templates of the environment that go around its e-mails."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import Field

from ...errors import InvalidInput, Issue, TemplateFailed, did_you_mean
from ...model import Identifier, Layout
from ...rendering import Renderer, Wrap
from ...store import Scope, layouts, translations
from ..auth import Here, TheRuntime
from ..body import LARGE_BODY
from ..wire import Data, Limit, Timestamp, Wire, envelope, missing
from .usage import Usage, who_writes

TAGS = ["Layouts"]

LARGEST_BODY = 500_000
"""Characters that a layout may have."""
SAMPLE = "<h1>Hello</h1><p>Here stands the message.</p>"
FIRST_BODY = '{% extends "novukit/base.html" %}\n{% block content %}{{ content }}{% endblock %}\n'
"""What a new layout is until it is given a body of its own: novukit's layout."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
Order = Literal["createdAt", "updatedAt", "name"]


class EmailControls(Wire):
    """The template. ``block``, the form of Novu's own editor, is not known here."""

    body: Annotated[str, Field(max_length=LARGEST_BODY)]
    editor_type: Literal["html", "block"] = "html"


class ControlValues(Wire):
    """What a layout is made of."""

    email: EmailControls | None = None


class Controls(Wire):
    """The same, as it is shown."""

    values: ControlValues


class NewLayout(Wire):
    """A layout to be. ``isTranslationEnabled`` and ``__source`` are taken for the SDKs' sake: ``t`` is always there."""

    layout_id: Identifier
    name: Name
    is_translation_enabled: bool | None = None
    source: str | None = Field(default=None, alias="__source")
    control_values: ControlValues | None = None
    is_default: bool = False


class LayoutChanges(Wire):
    """A layout as it shall be. Without ``controlValues`` its body stays, with ``null`` it is that of a new one."""

    name: Name
    is_translation_enabled: bool | None = None
    control_values: ControlValues | None = None
    is_default: bool | None = None


class Copy(Wire):
    """What a copy is called."""

    name: Name
    layout_id: Identifier | None = None
    is_translation_enabled: bool | None = None


class LayoutOut(Wire):
    """A layout."""

    id: str = Field(serialization_alias="_id")
    layout_id: str
    slug: str
    name: str
    is_default: bool
    is_translation_enabled: bool
    origin: Literal["external"] = "external"
    type: Literal["REGULAR"] = "REGULAR"
    controls: Controls
    created_at: Timestamp
    updated_at: Timestamp


class LayoutList(Wire):
    """Some of the layouts, and how many there are."""

    layouts: list[LayoutOut]
    total_count: int


class PreviewIn(Wire):
    """What to show a layout with."""

    control_values: dict[str, Any] | None = None
    preview_payload: dict[str, Any] | None = None


class Rendered(Wire):
    """The HTML."""

    body: str


class PreviewResult(Wire):
    """What the layout makes of a sample message."""

    type: Literal["email"] = "email"
    preview: Rendered


class PreviewOut(Wire):
    """The same, and the data that it was made with."""

    preview_payload_example: dict[str, Any]
    result: PreviewResult


@post("/v2/layouts", summary="Create a layout", tags=TAGS, request_max_body_size=LARGE_BODY)
async def create(here: Here, runtime: TheRuntime, data: JSONBody[NewLayout]) -> Data[LayoutOut]:
    """Make a layout; without a body it looks like novukit's own. None is the default until one is told to be."""
    body = _body(runtime.renderer, data.layout_id, data.control_values) or FIRST_BODY
    made = await layouts.create(here, data.layout_id, data.name, body, is_default=data.is_default)
    return envelope(_out(made, set()))


@get("/v2/layouts", summary="List layouts", tags=TAGS)
async def list_all(
    *,
    here: Here,
    limit: Limit = 10,
    offset: Annotated[int, QueryParameter(ge=0, le=100_000)] = 0,
    order_by: Annotated[Order, QueryParameter(name="orderBy")] = "createdAt",
    order_direction: Annotated[Literal["ASC", "DESC"], QueryParameter(name="orderDirection")] = "DESC",
    words: Annotated[str | None, QueryParameter(name="query", description="A part of the id or the name.")] = None,
) -> Data[LayoutList]:
    """The layouts of the environment."""
    found = [one for one in await layouts.all(here) if not words or _has(one, words.casefold())]
    found.sort(key=lambda one: _place(one, order_by), reverse=order_direction == "DESC")
    spoken = await _translated(here)
    page = [_out(one, spoken) for one in found[offset : offset + limit]]
    return envelope(LayoutList(layouts=page, total_count=len(found)))


@get("/v2/layouts/{layout_id:str}", summary="Show a layout", tags=TAGS)
async def show(here: Here, layout_id: FromPath[str]) -> Data[LayoutOut]:
    """One layout, by its own id or the database's."""
    return envelope(_out(await _find(here, layout_id), await _translated(here)))


@put("/v2/layouts/{layout_id:str}", summary="Change a layout", tags=TAGS, request_max_body_size=LARGE_BODY)
async def update(
    here: Here, runtime: TheRuntime, layout_id: FromPath[str], data: JSONBody[LayoutChanges]
) -> Data[LayoutOut]:
    """Change a layout. What is sent from now on has it; what was rendered before keeps what it had."""
    old = await _find(here, layout_id)
    cleared = "control_values" in data.model_fields_set and data.control_values is None
    body = FIRST_BODY if cleared else _body(runtime.renderer, old.layout_id, data.control_values)
    new = await layouts.update(here, old.layout_id, name=data.name, body=body, is_default=data.is_default)
    if new is None:
        raise missing("layout", layout_id)
    return envelope(_out(new, await _translated(here)))


@delete("/v2/layouts/{layout_id:str}", summary="Delete a layout", tags=TAGS)
async def remove(here: Here, layout_id: FromPath[str]) -> None:
    """Delete a layout with its translations. An e-mail that still names it fails, unless a file has that name."""
    await layouts.delete(here, (await _find(here, layout_id)).layout_id)


@post("/v2/layouts/{layout_id:str}/duplicate", summary="Copy a layout", tags=TAGS)
async def duplicate(here: Here, layout_id: FromPath[str], data: JSONBody[Copy]) -> Data[LayoutOut]:
    """Make a layout with the same body under another id."""
    old = await _find(here, layout_id)
    made = await layouts.create(here, data.layout_id or f"{old.layout_id}-copy", data.name, old.body)
    return envelope(_out(made, set()))


@post("/v2/layouts/{layout_id:str}/preview", summary="Preview a layout", tags=TAGS, request_max_body_size=LARGE_BODY)
async def preview(
    here: Here, runtime: TheRuntime, layout_id: FromPath[str], data: JSONBody[PreviewIn]
) -> Data[PreviewOut]:
    """What a layout, or the body that is sent along, makes of a sample message. Nothing is kept."""
    one = await _find(here, layout_id)
    email = (data.control_values or {}).get("email")
    body = email.get("body") if isinstance(email, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    await runtime.routes.refresh([here.environment_id])
    catalogue = runtime.routes.catalogues.of(here.environment_id)
    sample = _sample(data.preview_payload or {})
    locale = sample["subscriber"].get("locale")
    live = {"t": catalogue.words(("layout", one.layout_id), locale, sample), "env": catalogue.shown}
    wrap = Wrap(one.layout_id, body if isinstance(body, str) else one.body, live)
    try:
        runtime.renderer.check_layout(wrap)
        html = runtime.renderer.preview(wrap, SAMPLE, sample)
    except TemplateFailed as err:
        raise _refused(err) from None
    return envelope(PreviewOut(preview_payload_example=sample, result=PreviewResult(preview=Rendered(body=html))))


@get("/v2/layouts/{layout_id:str}/usage", summary="Show who uses a layout", tags=TAGS)
async def usage(here: Here, runtime: TheRuntime, layout_id: FromPath[str]) -> Data[Usage]:
    """The workflows whose code names the layout."""
    one = await _find(here, layout_id)
    return envelope(Usage(workflows=await who_writes(here, runtime.registry, one.layout_id)))


async def _find(scope: Scope, name: str) -> Layout:
    found = await layouts.get(scope, name)
    if found is None:
        error = missing("layout", name)
        error.hint = did_you_mean(name, [one.layout_id for one in await layouts.all(scope)])
        raise error
    return found


def _body(renderer: Renderer, layout_id: str, values: ControlValues | None) -> str | None:
    """The body that is sent along, if it is a template that can be used."""
    if values is None or values.email is None:
        return None
    if values.email.editor_type == "block":
        message = "Novu's block editor writes a form of its own, which is not known here."
        hint = "Send HTML with editorType html; in Novu's editor «code» gives it."
        raise InvalidInput(
            message, hint=hint, issues=[Issue("/controlValues/email/editorType", "not_supported", message, hint)]
        )
    try:
        renderer.check_layout(Wrap(layout_id, values.email.body))
    except TemplateFailed as err:
        raise _refused(err) from None
    return values.email.body


def _refused(err: TemplateFailed) -> InvalidInput:
    issue = Issue("/controlValues/email/body", err.issues[0].code if err.issues else err.code, err.message, err.hint)
    return InvalidInput(err.message, hint=err.hint, issues=[issue])


def _sample(given: dict[str, Any]) -> dict[str, Any]:
    """Data for a preview: what is given, and made up where nothing is."""
    person: dict[str, Any] = {
        "subscriber_id": "ada", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "phone": None,
        "avatar": None, "locale": None, "timezone": None, "data": {},
    }  # fmt: skip
    told: Any = given.get("subscriber")
    if isinstance(told, dict):
        known = {"".join(f"_{c.lower()}" if c.isupper() else c for c in str(key)): key for key in told}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        person |= {name: told[key] for name, key in known.items() if name in person}  # pyright: ignore[reportUnknownVariableType]
    return {"payload": {}, "actor": None, "tenant": None, "context": None, **given, "subscriber": person}


async def _translated(scope: Scope) -> set[str]:
    return {one.resource_id for one in await translations.all(scope) if one.resource_type == "layout"}


def _has(one: Layout, words: str) -> bool:
    return words in one.layout_id.casefold() or words in one.name.casefold()


def _place(one: Layout, by: Order) -> tuple[Any, ...]:
    match by:
        case "createdAt":
            return (one.created_at, one.layout_id)
        case "updatedAt":
            return (one.updated_at, one.layout_id)
        case "name":
            return (one.name.casefold(), one.layout_id)


def _out(one: Layout, translated: set[str]) -> LayoutOut:
    return LayoutOut(
        id=str(one.id),
        layout_id=one.layout_id,
        slug=one.layout_id,
        name=one.name,
        is_default=one.is_default,
        is_translation_enabled=one.layout_id in translated,
        controls=Controls(values=ControlValues(email=EmailControls(body=one.body))),
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


HANDLERS: list[Any] = [create, list_all, show, update, remove, duplicate, preview, usage]
