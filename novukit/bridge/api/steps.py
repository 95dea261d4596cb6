"""The steps of a workflow: shown, and previewed with sample data."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody
from pydantic import Field

from ...engine.preview import Given, Shown, preview
from ...errors import InvalidInput, Issue, did_you_mean
from ...model import ChatContent, EmailContent, InAppContent, PushContent, SmsContent, StepSpec, StoredWorkflow
from ..auth import Here, TheRuntime
from ..body import LARGE_BODY
from ..wire import Data, Wire, envelope, missing
from .workflows import TAGS, WorkflowStep, find, step_out


class Sample(Wire):
    """What to show the step with; what is missing is made up. ``steps`` are the results of earlier steps, by id.

    ``actor`` and ``env`` are taken for the SDKs' sake: the variables are those of the environment.
    """

    subscriber: dict[str, Any] | None = None
    actor: dict[str, Any] | None = None
    payload: dict[str, Any] | None = None
    steps: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    env: dict[str, Any] | None = None


class PreviewIn(Wire):
    """``controlValues`` are for steps that a dashboard has made: here the words are in the code."""

    control_values: dict[str, Any] | None = None
    preview_payload: Sample | None = None


class Result(Wire):
    """The kind of the step, and what it would say."""

    type: str
    preview: dict[str, Any]


class PreviewOut(Wire):
    """What the step would say, the data that it was made with, and the schema of the payload."""

    result: Result
    preview_payload_example: dict[str, Any]
    payload_schema: dict[str, Any] | None = Field(default=None, serialization_alias="schema")


@get("/v2/workflows/{workflow_id:str}/steps/{step_id:str}", summary="Show a step", tags=TAGS)
async def show(here: Here, workflow_id: FromPath[str], step_id: FromPath[str]) -> Data[WorkflowStep]:
    """One step of a workflow, by its id in the code or by the one that the workflow shows."""
    one = await find(here, workflow_id)
    return envelope(step_out(one, _step(one, step_id)))


@post(
    "/v2/workflows/{workflow_id:str}/step/{step_id:str}/preview", summary="Preview a step", tags=TAGS,
    request_max_body_size=LARGE_BODY,
)  # fmt: skip
async def generate_preview(
    here: Here, runtime: TheRuntime, workflow_id: FromPath[str], step_id: FromPath[str], data: JSONBody[PreviewIn]
) -> Data[PreviewOut]:
    """What a step would say. The workflow's function runs up to it; no step is done, and nothing is sent or kept."""
    one = await find(here, workflow_id)
    step, given = _step(one, step_id), data.preview_payload or Sample()
    if one.spec.id not in runtime.registry.ids:
        message = f"The code of {one.spec.id!r} is not in this server, and words are made by the code."
        hint = "Start the server where novukit.toml names the module of the workflow."
        raise InvalidInput(message, hint=hint, issues=[Issue("/workflowId", "code_not_here", message, hint)])
    person = {"".join(f"_{c.lower()}" if c.isupper() else c for c in k): v for k, v in (given.subscriber or {}).items()}
    asked = Given(given.payload or {}, person, given.steps or {}, given.context or {})
    shown = await preview(runtime, here, runtime.registry.get(one.spec.id), step.id, asked)
    return envelope(
        PreviewOut(
            result=Result(type=step.kind.value, preview=_said(shown)),
            preview_payload_example={
                "payload": shown.payload,
                "subscriber": {
                    "".join(part.title() if at else part for at, part in enumerate(name.split("_"))): value
                    for name, value in shown.subscriber.items()
                    if value is not None
                },
                "steps": given.steps or {},
            },
            payload_schema=one.spec.payload_schema,
        )
    )


def _step(one: StoredWorkflow, name: str) -> StepSpec:
    for step in one.spec.steps:
        if name in (step.id, f"{one.id}:{step.id}"):
            return step
    error = missing("step", name)
    error.hint = did_you_mean(name, [step.id for step in one.spec.steps])
    raise error


def _said(shown: Shown) -> dict[str, Any]:
    """The words of a message as Novu shows them."""
    match shown.content:
        case EmailContent() as mail:
            return {"subject": mail.subject, "body": mail.html or mail.text}
        case InAppContent() as note:
            kept = note.model_dump(mode="json", include={"subject", "body", "avatar", "data", "redirect"})
            actions = {"primaryAction": note.primary_action, "secondaryAction": note.secondary_action}
            kept |= {name: action.model_dump(mode="json") for name, action in actions.items() if action is not None}
            return {name: value for name, value in kept.items() if value is not None}
        case PushContent() as push:
            return {"subject": push.subject, "body": push.body}
        case SmsContent() | ChatContent() as text:
            return {"body": text.body}
        case None:
            return {}


HANDLERS: list[Any] = [show, generate_preview]
