"""The nouns: frozen pydantic types with no I/O."""

from .activity import Activity, ActivityKind
from .base import Model
from .catalogue import DEFAULT_LOCALE, Catalogue, Layout, Variable, VariableKey, Variables
from .channel import ENDPOINT_TYPES, ChannelConnection, ChannelEndpoint, ConnectionAuth, EndpointType
from .content import (
    Action,
    AnyContent,
    Attachment,
    ChatContent,
    ChatToEndpoints,
    Content,
    EmailContent,
    InAppContent,
    Priority,
    PushContent,
    Redirect,
    Severity,
    SmsContent,
    Target,
)  # fmt: skip
from .context import ContextKeys, ContextPart, EventContext, GivenContext, StoredContext
from .environment import ApiKey, Caller, Environment, Organization
from .event import (
    Event,
    EventStatus,
    Everyone,
    Recipient,
    TopicRecipient,
    TransactionId,
    Trigger,
    Triggered,
    TriggerStatus,
)  # fmt: skip
from .execution import Checkpoint, Execution, ExecutionStatus, Resolution, StepRecord, Way
from .integration import Integration
from .manifest import (
    Identifier,
    Manifest,
    Plan,
    StepChange,
    StepSpec,
    StoredWorkflow,
    WorkflowChange,
    WorkflowSpec,
)  # fmt: skip
from .message import DeliveryStatus, Message, MessageStatus
from .preference import EffectivePreference, Preference, WorkflowPreferences, resolve, resolve_one
from .routing import OPERATORS, Facts, Routing, When, conditions_hold
from .step import (
    CHANNELS,
    Channel,
    ChannelInput,
    ChatInput,
    CustomInput,
    DelayInput,
    Digest,
    DigestEvent,
    DigestInput,
    EmailInput,
    InAppInput,
    OnUnknown,
    PushInput,
    Reason,
    Retry,
    Sent,
    SmsInput,
    StepCall,
    StepInput,
    StepKind,
    StepStatus,
    Throttled,
    ThrottleInput,
)  # fmt: skip
from .subscriber import (
    ChannelAddress,
    Email,
    Locale,
    Phone,
    StoredSubscriber,
    Subscriber,
    SubscriberData,
    SubscriberId,
    TimeZone,
)  # fmt: skip
from .suppression import SuppressibleChannel, Suppression, SuppressionLine, SuppressionReason, address_of
from .topic import SubscriptionChoice, Topic, TopicKey, TopicSubscription
from .translation import LocaleName, Resource, ResourceType, Translation, Words

__all__ = [
    "CHANNELS", "DEFAULT_LOCALE", "ENDPOINT_TYPES", "OPERATORS", "Action", "Activity", "ActivityKind", "AnyContent",
    "ApiKey", "Attachment", "Caller", "Catalogue", "Channel", "ChannelAddress", "ChannelConnection",
    "ChannelEndpoint", "ChannelInput", "ChatContent", "ChatInput", "ChatToEndpoints", "Checkpoint",
    "ConnectionAuth", "Content", "ContextKeys", "ContextPart", "CustomInput", "DelayInput", "DeliveryStatus",
    "Digest", "DigestEvent", "DigestInput", "EffectivePreference", "Email", "EmailContent", "EmailInput",
    "EndpointType", "Environment", "Event", "EventContext", "EventStatus", "Everyone", "Execution",
    "ExecutionStatus", "Facts", "GivenContext", "Identifier", "InAppContent", "InAppInput", "Integration", "Layout",
    "Locale", "LocaleName", "Manifest", "Message", "MessageStatus", "Model", "OnUnknown", "Organization", "Phone",
    "Plan", "Preference", "Priority", "PushContent", "PushInput", "Reason", "Recipient", "Redirect", "Resolution",
    "Resource", "ResourceType", "Retry", "Routing", "Sent", "Severity", "SmsContent", "SmsInput", "StepCall",
    "StepChange", "StepInput", "StepKind", "StepRecord", "StepSpec", "StepStatus", "StoredContext",
    "StoredSubscriber", "StoredWorkflow", "Subscriber", "SubscriberData", "SubscriberId", "SubscriptionChoice",
    "SuppressibleChannel", "Suppression", "SuppressionLine", "SuppressionReason", "Target", "ThrottleInput",
    "Throttled", "TimeZone", "Topic", "TopicKey", "TopicRecipient", "TopicSubscription", "TransactionId",
    "Translation", "Trigger", "TriggerStatus", "Triggered", "Variable", "VariableKey", "Variables", "Way", "When",
    "Words", "WorkflowChange", "WorkflowPreferences", "WorkflowSpec", "address_of", "conditions_hold", "resolve",
    "resolve_one",
]  # fmt: skip
