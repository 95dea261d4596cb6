"""The tables as Piccolo sees them. Nothing outside ``store`` imports this package.

``tests/store`` holds it to the schema that the migrations make.
"""

from piccolo.table import Table

from .catalogue import Circuit, Integration, Pace, Workflow, WorkflowVersion
from .channels import ChannelConnection, ChannelEndpoint, EventTopic
from .mail import DeliveryEvent, Message
from .owners import ApiKey, Environment, Idempotency, Organization, Outbox
from .people import (
    Context,
    Preference,
    Subscriber,
    SubscriberChannel,
    Suppression,
    SuppressionLine,
    Topic,
    TopicSubscription,
)  # fmt: skip
from .remote import Bridge
from .wording import Layout, Translation, Variable
from .work import Activity, Checkpoint, DigestMember, DigestWindow, Event, Execution, ThrottlePass, Worker

TABLES: tuple[type[Table], ...] = (
    Organization,
    Environment,
    ApiKey,
    Bridge,
    Workflow,
    WorkflowVersion,
    Layout,
    Translation,
    Variable,
    Integration,
    Pace,
    Subscriber,
    SubscriberChannel,
    Topic,
    TopicSubscription,
    Preference,
    Context,
    Event,
    Worker,
    Circuit,
    Execution,
    Checkpoint,
    Message,
    DigestWindow,
    DigestMember,
    ThrottlePass,
    Activity,
    Idempotency,
    Suppression,
    SuppressionLine,
    DeliveryEvent,
    Outbox,
    ChannelConnection,
    ChannelEndpoint,
    EventTopic,
)

__all__ = [
    "TABLES",
    "Activity",
    "ApiKey",
    "Bridge",
    "ChannelConnection",
    "ChannelEndpoint",
    "Checkpoint",
    "Circuit",
    "Context",
    "DeliveryEvent",
    "DigestMember",
    "DigestWindow",
    "Environment",
    "Event",
    "EventTopic",
    "Execution",
    "Idempotency",
    "Integration",
    "Layout",
    "Message",
    "Organization",
    "Outbox",
    "Pace",
    "Preference",
    "Subscriber",
    "SubscriberChannel",
    "Suppression",
    "SuppressionLine",
    "ThrottlePass",
    "Topic",
    "TopicSubscription",
    "Translation",
    "Variable",
    "Worker",
    "Workflow",
    "WorkflowVersion",
]
