"""Translations: the texts of workflows and layouts, in the languages of the subscribers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, cast

from litestar import Request, delete, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import TypeAdapter, ValidationError

from ...errors import Issue, NovukitError, did_you_mean
from ...model import LocaleName, Resource, ResourceType, Translation
from ...model.translation import locale_name, texts
from ...store import Scope, layouts, translations, workflows
from ..auth import Here, TheRuntime
from ..body import LARGE_BODY, parse, pointer, shown
from ..issues import refusal
from ..wire import Data, Timestamp, Wire, envelope, missing

TAGS = ["Translations"]

MOST_FILES = 100

_LOCALE: TypeAdapter[str] = TypeAdapter(LocaleName)
_KINDS: dict[str, ResourceType] = {"workflows": "workflow", "layouts": "layout"}

Kind = FromPath[ResourceType]


class NewTranslation(Wire):
    """The texts of one resource in one locale."""

    resource_id: str
    resource_type: ResourceType
    locale: LocaleName
    content: dict[str, Any]


class TranslationOut(NewTranslation):
    """The same, as it is kept."""

    created_at: Timestamp
    updated_at: Timestamp


class GroupOut(Wire):
    """All translations of one resource. ``outdatedLocales`` lack a text that the default locale has."""

    resource_id: str
    resource_type: ResourceType
    resource_name: str
    locales: list[str]
    outdated_locales: list[str]
    created_at: Timestamp
    updated_at: Timestamp


class LocaleOut(Wire):
    """A locale, of how many workflows and layouts there are texts in it, and how many texts."""

    locale: str
    resources: int
    texts: int


class Uploaded(Wire):
    """What became of the files."""

    total_files: int
    successful_uploads: int
    failed_uploads: int
    errors: list[str]


class Master(Wire):
    """All texts of the environment in one locale, by workflow and by layout."""

    workflows: dict[str, Any]
    layouts: dict[str, Any]


class MasterIn(Wire):
    """The same, to be kept. What is not in it stays as it is."""

    locale: LocaleName
    master_json: dict[str, Any]


class Imported(Wire):
    """Which workflows and layouts have their texts now, and which are not known here."""

    success: bool
    message: str
    successful: list[str]
    failed: list[str]


@post("/v2/translations", status_code=200, summary="Put a translation", tags=TAGS, request_max_body_size=LARGE_BODY)
async def put(here: Here, data: JSONBody[NewTranslation]) -> Data[TranslationOut]:
    """Keep the texts of a workflow or layout in one locale, in place of those that there were."""
    resource: Resource = (data.resource_type, data.resource_id)
    await _name(here, resource)
    _check(data.content, "/content")
    await translations.put(here, [(resource, data.locale, data.content)])
    return envelope(_out(await _one(here, resource, data.locale)))


@get("/v2/translations/{resource_type:str}/{resource_id:str}/{locale:str}", summary="Show a translation", tags=TAGS)
async def show(
    here: Here, resource_type: Kind, resource_id: FromPath[str], locale: FromPath[str]
) -> Data[TranslationOut]:
    """The texts of a workflow or layout in one locale."""
    return envelope(_out(await _one(here, (resource_type, resource_id), locale)))


@delete(
    "/v2/translations/{resource_type:str}/{resource_id:str}/{locale:str}", summary="Delete a translation", tags=TAGS
)
async def remove(here: Here, resource_type: Kind, resource_id: FromPath[str], locale: FromPath[str]) -> None:
    """Delete the texts of a workflow or layout in one locale; those of the default one stand in for them."""
    one = await _one(here, (resource_type, resource_id), locale)
    await translations.delete(here, (resource_type, resource_id), one.locale)


@get("/v2/translations/group/{resource_type:str}/{resource_id:str}", summary="Show all translations of one", tags=TAGS)
async def group(here: Here, runtime: TheRuntime, resource_type: Kind, resource_id: FromPath[str]) -> Data[GroupOut]:
    """In which locales a workflow or layout has texts, and where some are missing."""
    resource: Resource = (resource_type, resource_id)
    name, found = await _name(here, resource), await translations.of(here, resource)
    if not found:
        raise missing("translation", f"{resource_type}/{resource_id}")
    wanted = {key for one in found if one.locale == runtime.settings.locale for key, _ in texts(one.content)}
    return envelope(
        GroupOut(
            resource_id=resource_id,
            resource_type=resource_type,
            resource_name=name,
            locales=[one.locale for one in found],
            outdated_locales=[one.locale for one in found if wanted - {key for key, _ in texts(one.content)}],
            created_at=min(one.created_at for one in found),
            updated_at=max(one.updated_at for one in found),
        )
    )


@delete("/v2/translations/{resource_type:str}/{resource_id:str}", summary="Delete all translations of one", tags=TAGS)
async def remove_group(here: Here, resource_type: Kind, resource_id: FromPath[str]) -> None:
    """Delete the texts of a workflow or layout in every locale."""
    if not await translations.delete(here, (resource_type, resource_id)):
        raise missing("translation", f"{resource_type}/{resource_id}")


@get("/v1/translations", summary="List locales", tags=TAGS)
async def locales(here: Here) -> Data[list[LocaleOut]]:
    """In which locales there are texts."""
    found: dict[str, list[Translation]] = {}
    for one in await translations.all(here):
        found.setdefault(one.locale, []).append(one)
    return envelope(
        [
            LocaleOut(locale=name, resources=len(several), texts=sum(1 for one in several for _ in texts(one.content)))
            for name, several in sorted(found.items())
        ]
    )


@get("/v2/translations/master-json", summary="Show all texts in one locale", tags=TAGS)
async def master(
    here: Here,
    runtime: TheRuntime,
    locale: Annotated[str | None, QueryParameter(description="Without it the default locale.")] = None,
) -> Data[Master]:
    """All texts of the environment in one locale, as `novukit translations pull` writes them to files."""
    found = await translations.all(here, _locale(locale, "/locale") if locale else runtime.settings.locale)
    return envelope(
        Master(
            workflows={one.resource_id: one.content for one in found if one.resource_type == "workflow"},
            layouts={one.resource_id: one.content for one in found if one.resource_type == "layout"},
        )
    )


@post(
    "/v2/translations/master-json", status_code=200, summary="Put all texts of one locale", tags=TAGS,
    request_max_body_size=LARGE_BODY,
)  # fmt: skip
async def import_master(here: Here, data: JSONBody[MasterIn]) -> Data[Imported]:
    """Keep the texts of many workflows and layouts in one locale. Those of what is not known here are left out."""
    return envelope(await _import(here, data.locale, data.master_json, "/masterJson"))


@post(
    "/v2/translations/upload", status_code=200, summary="Upload translations of one", tags=TAGS,
    request_max_body_size=LARGE_BODY,
)  # fmt: skip
async def upload(here: Here, request: Request[Any, Any, Any]) -> Data[Uploaded]:
    """Take files named after their locale (`en_US.json`) for one workflow or layout, as multipart/form-data.

    Its fields are `resourceId`, `resourceType` and `files`. A file that does not fit is left out and told of.
    """
    fields, files = await _form(request)
    resource: Resource = (_kind(str(fields.get("resourceType", ""))), str(fields.get("resourceId", "")))
    await _name(here, resource)
    given: list[tuple[Resource, str, dict[str, Any]]] = []
    errors: list[str] = []
    for name, raw in files:
        try:
            locale, content = _locale(name.rpartition("/")[2].removesuffix(".json"), "/files"), _object(raw)
            _check(content, "")
            given.append((resource, locale, content))
        except NovukitError as err:
            errors.append(f"{shown(name)}: {err.message}")
    await translations.put(here, given)
    return envelope(
        Uploaded(total_files=len(files), successful_uploads=len(given), failed_uploads=len(errors), errors=errors)
    )


@post(
    "/v2/translations/master-json/upload", status_code=200, summary="Upload all texts of one locale", tags=TAGS,
    request_max_body_size=LARGE_BODY,
)  # fmt: skip
async def upload_master(here: Here, request: Request[Any, Any, Any]) -> Data[Imported]:
    """The same as `POST /v2/translations/master-json` from one file, named after its locale, as multipart/form-data."""
    _, files = await _form(request)
    if len(files) != 1:
        raise refusal([Issue("/file", "required", "must be one file", "Send it as the field `file`.")])
    ((name, raw),) = files
    return envelope(
        await _import(here, _locale(name.rpartition("/")[2].removesuffix(".json"), "/file"), _object(raw), "")
    )


async def _import(scope: Scope, locale: str, content: dict[str, Any], path: str) -> Imported:
    if unknown := [name for name in content if name not in _KINDS]:
        hints = [did_you_mean(name, _KINDS) for name in unknown]
        raise refusal([Issue(pointer(path, name), "unknown_field", "is not a known field", hint)
                       for name, hint in zip(unknown, hints, strict=True)])  # fmt: skip
    known: dict[ResourceType, Collection[str]] = {
        "workflow": await workflows.ids(scope),
        "layout": [one.layout_id for one in await layouts.all(scope)],
    }
    given: list[tuple[Resource, str, dict[str, Any]]] = []
    failed: list[str] = []
    for plural, kind in _KINDS.items():
        several = content.get(plural, {})
        if not isinstance(several, dict):
            raise refusal([Issue(pointer(path, plural), "wrong_type", "expected an object")])
        for name, own in cast("dict[str, Any]", several).items():
            at = pointer(pointer(path, plural), name)
            if not isinstance(own, dict):
                raise refusal([Issue(at, "wrong_type", "expected an object")])
            _check(cast("dict[str, Any]", own), at)
            if name in known[kind]:
                given.append(((kind, name), locale, cast("dict[str, Any]", own)))
            else:
                failed.append(name)
    await translations.put(scope, given)
    said = f"{len(given)} taken over"
    if failed:
        said += f"; not known in this environment: {', '.join(shown(name) for name in failed[:10])}"
    return Imported(
        success=not failed, message=f"{said}.", successful=[resource[1] for resource, _, _ in given], failed=failed
    )


async def _name(scope: Scope, resource: Resource) -> str:
    """What the workflow or layout is called. Raises NotFound."""
    kind, id = resource  # noqa: A001 - the resource's
    if kind == "workflow" and (workflow := await workflows.get(scope, id)) is not None:
        return workflow.spec.name
    if kind == "layout" and (layout := await layouts.get(scope, id)) is not None and layout.layout_id == id:
        return layout.name
    raise missing(kind, id)


async def _one(scope: Scope, resource: Resource, locale: str) -> Translation:
    try:
        wanted = locale_name(locale)
    except ValueError:
        wanted = ""
    found = {one.locale: one for one in await translations.of(scope, resource)}
    if wanted not in found:
        error = missing("translation", f"{resource[0]}/{resource[1]}/{locale}")
        error.hint = did_you_mean(locale, found)
        raise error
    return found[wanted]


def _check(content: dict[str, Any], path: str) -> None:
    """Raises :class:`InvalidInput` where something other than a text stands."""
    if issues := list(_faults(content, path))[:50]:
        raise refusal(issues)


def _faults(content: dict[str, Any], path: str) -> Iterator[Issue]:
    for name, value in content.items():
        at = pointer(path, name)
        if isinstance(value, dict):
            yield from _faults(cast("dict[str, Any]", value), at)
        elif not isinstance(value, str):
            yield Issue(at, "wrong_type", "expected text, or an object of texts")


def _locale(text: str, path: str) -> str:
    try:
        return _LOCALE.validate_python(text)
    except ValidationError:
        message = f"{shown(text)!r} is not a locale such as en, en_US or zh_Hant_TW"
        raise refusal([Issue(path, "bad_format", message)]) from None


def _kind(text: str) -> ResourceType:
    for kind in _KINDS.values():
        if text == kind:
            return kind
    raise refusal([Issue("/resourceType", "not_allowed", "must be 'workflow' or 'layout'")])


async def _form(request: Request[Any, Any, Any]) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """The fields and the files of multipart/form-data. Raises :class:`InvalidInput` for anything else."""
    if request.content_type[0] != "multipart/form-data":
        raise refusal([Issue("", "unsupported_media_type", "expected multipart/form-data")])
    form = await request.form()
    fields: dict[str, Any] = {}
    files: list[tuple[str, bytes]] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files.append((value.filename, await value.read()))
        else:
            fields[name] = value
    if not files or len(files) > MOST_FILES:
        raise refusal([Issue("/files", "required", f"must be 1 to {MOST_FILES} files")])
    return fields, files


def _object(raw: bytes) -> dict[str, Any]:
    value = parse(raw)
    if not isinstance(value, dict):
        raise refusal([Issue("", "wrong_type", "expected an object")])
    return cast("dict[str, Any]", value)


def _out(one: Translation) -> TranslationOut:
    return TranslationOut(
        resource_id=one.resource_id,
        resource_type=one.resource_type,
        locale=one.locale,
        content=one.content,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


HANDLERS: list[Any] = [
    put, show, remove, group, remove_group, locales, master, import_master, upload, upload_master
]  # fmt: skip
