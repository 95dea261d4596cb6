"""``Provider``: the class that a plugin subclasses. It is given credentials and an HTTP client, and it sends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

from ..clock import wall
from ..model import Channel, ChatContent, Content, EmailContent, EndpointType, InAppContent, PushContent, SmsContent
from .callback import CallbackAnswer, CallbackRequest, DeliveryEvent, EventKind
from .credentials import Credentials, EmailCredentials
from .http import HttpClient
from .limits import NO_LIMITS, Limits
from .novu_ids import novu_id_of
from .outcome import Receipt

API_VERSION = 1
"""The version of the contract between novukit and its plugins."""

C = TypeVar("C", bound=Content)
K = TypeVar("K", bound=Credentials)
KEmail = TypeVar("KEmail", bound=EmailCredentials)

Idempotency = Literal["native", "lookup", "none"]


class Provider(ABC, Generic[C, K]):
    """Code that can send through one channel.

    Subclass the base of your channel (:class:`EmailProvider`, :class:`SmsProvider`, …) with your credentials as its
    type argument, name it with ``id``, and write ``send``::

        class Post(EmailProvider[PostCredentials]):
            id = "post"
            supports = frozenset({"cc", "reply_to"})

            async def send(self, content: EmailContent, key: str) -> Receipt: ...

    ``id``
        Lower-case words joined by ``-``, the same for ever: integrations are stored under it.
    ``name``
        What people read; made from ``id`` if left out.
    ``supports``
        The optional fields of the content that you can express. A message that uses another one is refused before
        ``send`` is called, and is never thinned in silence.
    ``idempotency``
        What a second ``send`` with the same ``key`` does. ``"native"``: the provider itself drops it. ``"lookup"``:
        it can be asked whether it has the first (write ``lookup``). ``"none"``: it sends twice.
    ``idempotency_window``
        For how long after the first ``send`` that holds (``timedelta(hours=24)``: the provider forgets keys after a
        day). None where it is for ever. A message whose outcome is unknown is not tried again later than that: the
        provider would take it for a new one. It waits for a person.
    ``limits``
        What the vendor takes at most, see :class:`Limits`. Content that is more is refused before ``send`` is called.
    ``events``
        The kinds of delivery events that ``callback`` reports. Empty for a provider without callbacks.
    ``callback_setup``
        Where at the vendor one enters the URL of the callbacks, and what to tick there: a sentence or two for whoever
        does it. ``novukit integrations webhook-url`` prints it.
    ``http2``
        True where the vendor wants HTTP/2: ``self.http`` then speaks it (``pip install novukit[http2]``).
    ``base_url``
        Where the vendor's API is, without a slash at the end. Build every URL from it (and from other attributes like
        it): tests, proxies and vendors' regions set another on the instance.
    ``novu_id``
        The id that Novu's SDKs are told, where they accept only ids that Novu knows.
    ``any_address``
        True for a provider that only pretends to send: it is given the device tokens and webhooks of every provider,
        not only those that subscribers have at this one.
    ``endpoints``
        The types of channel endpoints (``slack_user``, ``telegram_chat``, …) that it reaches: those whose id it takes
        as ``channel`` (or ``to``), and ``webhook``, whose URL it takes as ``webhook_url``. A chat provider that says
        nothing reaches webhooks, an SMS provider phones.
    ``connection_credential``
        The credential whose place the access token of a channel connection takes (``token``): for vendors where each
        workspace lets an app in by itself. Empty where there is none.
    ``timeout``
        Seconds (0 to 300) that one ``send`` may take. After that the outcome is unknown, unless ``self.http`` knows
        that no byte had left.
    ``api_version``
        The version of this contract that you wrote for. Set it to a number, so that a later novukit can refuse you
        with a clear word instead of failing in your code.
    """

    id: ClassVar[str]
    name: ClassVar[str] = ""
    channel: ClassVar[Channel]
    content_type: ClassVar[type[Content]]
    credentials_type: ClassVar[type[Credentials]]
    supports: ClassVar[frozenset[str]] = frozenset()
    idempotency: ClassVar[Idempotency] = "none"
    idempotency_window: ClassVar[timedelta | None] = None
    limits: ClassVar[Limits] = NO_LIMITS
    events: ClassVar[frozenset[EventKind]] = frozenset()
    callback_setup: ClassVar[str] = ""
    http2: ClassVar[bool] = False
    base_url: str = ""
    novu_id: ClassVar[str] = ""
    any_address: ClassVar[bool] = False
    endpoints: ClassVar[frozenset[EndpointType]] = frozenset()
    connection_credential: ClassVar[str] = ""
    api_version: ClassVar[int] = API_VERSION
    timeout: float = 15.0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        arguments = [arg for base in cls.__dict__.get("__orig_bases__", ()) for arg in get_args(base)]
        for argument in arguments:
            if isinstance(argument, type) and issubclass(argument, Credentials):
                cls.credentials_type = argument
        provider_id: object = cls.__dict__.get("id")
        if isinstance(provider_id, str):
            if "name" not in cls.__dict__:
                cls.name = provider_id.replace("-", " ").capitalize()
            if "novu_id" not in cls.__dict__ and hasattr(cls, "channel"):
                cls.novu_id = novu_id_of(provider_id, cls.channel)

    def __init__(self, credentials: K, http: HttpClient) -> None:
        self.credentials = credentials
        self.http = http.over_http2() if self.http2 else http
        self.clock: Callable[[], datetime] = wall
        """What ``now`` asks; tests set another."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, 'id', '?')}>"

    def now(self) -> datetime:
        """The time now, aware, in UTC: for signatures and for tokens that run out."""
        return self.clock()

    @property
    def sender(self) -> str | None:
        """The default sender (``from``) of the integration: an e-mail address, or an SMS number or name."""
        return getattr(self.credentials, "sender", None)

    @property
    def sender_name(self) -> str | None:
        """The default name beside the sender (``senderName``)."""
        return getattr(self.credentials, "sender_name", None)

    @abstractmethod
    async def send(self, content: C, key: str) -> Receipt:
        """Hand ``content`` to the provider and return its receipt.

        ``key`` stays the same when a message is tried again: give it to the provider as its idempotency key.
        When the message is not accepted, raise Rejected, Throttled, Unavailable or RecipientGone; when that cannot be
        known, raise Unknown. ``self.http`` raises them for you where the network fails, and ``raise_for_outcome`` for
        an HTTP status. Any other exception counts as a fault of the plugin, and the message is not tried again.
        """

    async def lookup(self, key: str) -> Receipt | None:
        """Ask the provider whether it has the message that was sent with ``key``; None where it has not.

        Written by providers with ``idempotency = "lookup"``.
        """
        raise NotImplementedError

    async def check(self) -> str | None:
        """Try the credentials without sending anything; raise Rejected or Unavailable if they do not work.

        Where they work and something else stands in the way (an account in a sandbox), return a sentence about it.
        Without it, ``novukit integrations check`` can only look at their shape.
        """

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent] | CallbackAnswer:
        """What the vendor tells in ``request``; CallbackRefused if it is not from the vendor or too old.

        Written by providers that name ``events``. Check the signature on ``request.body``, the bytes as they came,
        then read them. What you do not know is no event and no error: vendors add kinds. A CallbackAnswer says more
        than 200 where the vendor wants to read something.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Give back what was opened. ``self.http`` is shared, and is not yours to close."""


class EmailProvider(Provider[EmailContent, KEmail]):
    """The base of e-mail providers."""

    channel = "email"
    content_type = EmailContent


class SmsProvider(Provider[SmsContent, K]):
    """The base of SMS providers. Send from ``content.sender``, or from ``self.sender`` where the step names none."""

    channel = "sms"
    content_type = SmsContent
    endpoints = frozenset({"phone"})


class PushProvider(Provider[PushContent, K]):
    """The base of push providers."""

    channel = "push"
    content_type = PushContent


class ChatProvider(Provider[ChatContent, K]):
    """The base of chat providers."""

    channel = "chat"
    content_type = ChatContent
    endpoints = frozenset({"webhook"})


class InAppProvider(Provider[InAppContent, K]):
    """The base of in-app providers."""

    channel = "in_app"
    content_type = InAppContent


AnyProvider = Provider[Any, Any]
