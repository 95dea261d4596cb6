"""Executions in Novu's words: each a notification with a job for each step, each line of its log a detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import Field

from ..engine import Runtime
from ..errors import ProviderNotFound
from ..model import (
    Activity,
    ActivityKind,
    Channel,
    Event,
    Execution,
    ExecutionStatus,
    Message,
    Reason,
    StepKind,
    StepRecord,
    StepStatus,
    StoredSubscriber,
    StoredWorkflow,
)
from ..model.context import listed
from ..providers.novu_ids import novu_id_of
from ..store import Scope, history, timeline
from .wire import Timestamp, Wire

NOBODY = "novu"
"""What stands for the provider of a job that has none: the list of providers is closed on the wire."""

_JOB: dict[StepStatus, str] = {
    StepStatus.WAITING: "delayed",
    StepStatus.CALLING: "running",
    StepStatus.RETRYING: "delayed",
    StepStatus.COMPLETED: "completed",
    StepStatus.SKIPPED: "skipped",
    StepStatus.MERGED: "merged",
    StepStatus.FAILED: "failed",
    # The wire has no word for it; the job's detail of status Warning says what it is.
    StepStatus.UNKNOWN: "failed",
}
_TRIGGER_JOB: dict[ExecutionStatus, str] = {
    ExecutionStatus.PENDING: "pending",
    ExecutionStatus.RUNNING: "completed",
    ExecutionStatus.WAITING: "completed",
    ExecutionStatus.COMPLETED: "completed",
    ExecutionStatus.MERGED: "merged",
    ExecutionStatus.CANCELLED: "canceled",
    ExecutionStatus.FAILED: "failed",
    ExecutionStatus.PARKED: "failed",
}

DetailStatus = Literal["Success", "Warning", "Failed", "Pending", "Queued", "ReadConfirmation"]
Source = Literal["Credentials", "Internal", "Payload", "Webhook"]

_DETAIL: dict[ActivityKind, DetailStatus] = {
    ActivityKind.EXECUTION_TAKEN_OVER: "Warning",
    ActivityKind.EXECUTION_CANCELLED: "Warning",
    ActivityKind.EXECUTION_FAILED: "Failed",
    ActivityKind.EXECUTION_PARKED: "Warning",
    ActivityKind.STEP_WAITING: "Pending",
    ActivityKind.STEP_CALLING: "Queued",
    ActivityKind.STEP_RETRYING: "Warning",
    ActivityKind.STEP_FAILED: "Failed",
    ActivityKind.STEP_UNKNOWN: "Warning",
    ActivityKind.STEP_ARGUMENTS_CHANGED: "Warning",
    ActivityKind.MESSAGE_OPENED: "ReadConfirmation",
    ActivityKind.MESSAGE_CLICKED: "ReadConfirmation",
    ActivityKind.MESSAGE_BOUNCED: "Failed",
    ActivityKind.MESSAGE_FAILED: "Failed",
    ActivityKind.MESSAGE_COMPLAINED: "Warning",
    ActivityKind.MESSAGE_UNSUBSCRIBED: "Warning",
    ActivityKind.MESSAGE_TOKEN_GONE: "Warning",
    ActivityKind.ADDRESS_SUPPRESSED: "Warning",
    ActivityKind.TOKENS_FORGOTTEN: "Warning",
}
_SOURCE: dict[str, Source] = {
    Reason.CREDENTIALS_INVALID.value: "Credentials",
    Reason.NO_INTEGRATION.value: "Credentials",
    Reason.PAYLOAD_INVALID.value: "Payload",
}


class DetailOut(Wire):
    """One line of a job's log."""

    id: str = Field(serialization_alias="_id")
    status: DetailStatus
    detail: str
    is_retry: bool
    is_test: bool = False
    source: Source
    provider_id: str
    created_at: Timestamp


class StepOfJob(Wire):
    """The step that a job is of."""

    id: str = Field(serialization_alias="_id")
    template_id: str = Field(serialization_alias="_templateId")
    name: str
    active: bool = True
    filters: list[Any]


class DigestOut(Wire):
    """What a digest has gathered."""

    type: Literal["regular"] = "regular"
    events: list[dict[str, Any]]


class JobOut(Wire):
    """One step of an execution; the first is the trigger itself."""

    id: str = Field(serialization_alias="_id")
    type: str
    status: str
    provider_id: str
    step: StepOfJob
    execution_details: list[DetailOut]
    digest: DigestOut | None = None
    updated_at: Timestamp


class PersonOut(Wire):
    """For whom it was."""

    id: str = Field(serialization_alias="_id")
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


class VariableOut(Wire):
    """A field of the payload."""

    name: str


class TriggerOut(Wire):
    """How the workflow is triggered."""

    type: Literal["event"] = "event"
    identifier: str
    variables: list[VariableOut]


class TemplateOut(Wire):
    """The workflow."""

    id: str = Field(serialization_alias="_id")
    name: str
    origin: Literal["external"] = "external"
    triggers: list[TriggerOut]


class TopicOfActivity(Wire):
    """A topic that the trigger named."""

    topic_id_: str
    topic_key: str


class ActivityOut(Wire):
    """One workflow for one subscriber."""

    id: str = Field(serialization_alias="_id")
    environment_id: str = Field(serialization_alias="_environmentId")
    organization_id: str = Field(serialization_alias="_organizationId")
    template_id: str = Field(serialization_alias="_templateId")
    own_subscriber_id: str = Field(serialization_alias="_subscriberId")
    transaction_id: str
    status: ExecutionStatus
    created_at: Timestamp
    updated_at: Timestamp
    channels: list[str]
    severity: str
    critical: bool
    tags: list[str]
    payload: dict[str, Any]
    to: dict[str, Any]
    topics: list[TopicOfActivity]
    context_keys: list[str]
    subscriber: PersonOut
    template: TemplateOut
    jobs: list[JobOut]


@dataclass(frozen=True)
class Teller:
    """Tells executions as activities; all that a page needs is read at once."""

    runtime: Runtime
    organization_id: UUID
    known: dict[str, StoredWorkflow]

    async def tell(self, scope: Scope, executions: Sequence[Execution]) -> list[ActivityOut]:
        ids = [one.id for one in executions]
        steps, lines = await history.steps_of(scope, ids), await timeline.of_executions(scope, ids)
        people, messages = await history.people_of(scope, ids), await history.messages_of_many(scope, ids)
        events = await history.events_of(scope, [one.event_id for one in executions])
        topics = await history.topics_of(scope, [one.event_id for one in executions])
        return [
            self._activity(
                one,
                events[one.event_id],
                topics.get(one.event_id, ()),
                people[one.id],
                self._jobs(one, steps[one.id], lines[one.id], messages[one.id]),
            )
            for one in executions
        ]

    def _activity(
        self,
        one: Execution,
        event: Event,
        topics: Sequence[tuple[UUID, str]],
        person: tuple[UUID, StoredSubscriber | None],
        jobs: list[JobOut],
    ) -> ActivityOut:
        uuid, subscriber = person
        workflow = self.known.get(one.workflow_id)
        spec = workflow.spec if workflow else None
        return ActivityOut(
            id=str(one.id),
            environment_id=str(one.environment_id),
            organization_id=str(self.organization_id),
            template_id=str(workflow.id) if workflow else one.workflow_id,
            own_subscriber_id=str(uuid),
            transaction_id=one.transaction_id,
            status=one.status,
            created_at=one.created_at,
            updated_at=one.finished_at or one.started_at or one.created_at,
            channels=list(dict.fromkeys(step.kind.value for step in spec.steps if step.kind.is_channel))
            if spec
            else [],
            severity=spec.severity if spec else "none",
            critical=spec.preferences.read_only if spec else False,
            tags=list(spec.tags) if spec else [],
            payload=event.payload,
            context_keys=listed(event.context_keys),
            to={"subscriberId": one.subscriber_id},
            topics=[TopicOfActivity(topic_id_=str(topic), topic_key=key) for topic, key in topics],
            subscriber=PersonOut(
                id=str(uuid),
                subscriber_id=one.subscriber_id,
                first_name=subscriber.first_name if subscriber else None,
                last_name=subscriber.last_name if subscriber else None,
                email=subscriber.email if subscriber else None,
                phone=subscriber.phone if subscriber else None,
            ),
            template=TemplateOut(
                id=str(workflow.id) if workflow else one.workflow_id,
                name=spec.name if spec else one.workflow_id,
                triggers=[TriggerOut(identifier=one.workflow_id, variables=_variables(workflow))],
            ),
            jobs=jobs,
        )

    def _jobs(
        self, one: Execution, steps: list[StepRecord], lines: list[Activity], messages: list[Message]
    ) -> list[JobOut]:
        sent = {(message.step_id, message.step_key): message for message in messages}
        jobs = [
            _job(
                one, "trigger", "trigger", _TRIGGER_JOB[one.status],
                provider=NOBODY, lines=[line for line in lines if not line.step],
            )
        ]  # fmt: skip
        for step in steps:
            name = f"{step.step_id}[{step.key}]" if step.key else step.step_id
            status = _JOB[step.status]
            if one.status is ExecutionStatus.CANCELLED and not step.status.is_final:
                status = "canceled"
            provider = self._provider(sent.get((step.step_id, step.key)))
            about = [line for line in lines if line.step == name]
            digest = None
            if step.kind is StepKind.DIGEST and step.result:
                events = cast("list[dict[str, Any]]", step.result)
                digest = DigestOut(events=[event.get("payload") or {} for event in events])
            jobs.append(_job(one, name, step.kind.value, status, provider=provider, lines=about, digest=digest))
        return jobs

    def _provider(self, message: Message | None) -> str:
        """The id of a message's provider on the wire, where the list is closed."""
        if message is None or message.provider_id is None:
            return NOBODY
        channel = cast("Channel", message.channel)
        try:
            return novu_id_of(self.runtime.host.get(message.provider_id).novu_id, channel)
        except ProviderNotFound:
            return novu_id_of(message.provider_id, channel)


def _job(
    one: Execution,
    name: str,
    kind: str,
    status: str,
    *,
    provider: str,
    lines: list[Activity],
    digest: DigestOut | None = None,
) -> JobOut:
    place = f"{one.id}:{name}"
    return JobOut(
        id=place,
        type=kind,
        status=status,
        provider_id=provider,
        step=StepOfJob(id=place, template_id=place, name=name, filters=[]),
        execution_details=[_detail(line, provider) for line in lines],
        digest=digest,
        updated_at=lines[-1].at if lines else one.created_at,
    )


def _detail(line: Activity, provider: str) -> DetailOut:
    why = ": ".join(part for part in (line.reason, line.detail) if part)
    return DetailOut(
        id=str(line.id),
        status=_DETAIL.get(line.kind, "Success"),
        detail=f"{line.kind.sentence} ({why})" if why else line.kind.sentence,
        is_retry=line.kind is ActivityKind.STEP_RETRYING,
        source="Webhook" if line.kind.startswith("message.") else _SOURCE.get(line.reason or "", "Internal"),
        provider_id=provider,
        created_at=line.at,
    )


def _variables(workflow: StoredWorkflow | None) -> list[VariableOut]:
    schema = (workflow.spec.payload_schema if workflow else None) or {}
    properties: dict[str, Any] = schema.get("properties") or {}
    return [VariableOut(name=name) for name in properties]
