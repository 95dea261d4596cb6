"""What the vendor tells later is believed only if it is signed, fresh and unchanged, and then means what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from ...providers import CallbackRefused, CallbackRequest, DeliveryEvent, EventKind, Headers, receive
from .kit import Conformance, KitClass, applies, each

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
URL = "https://notify.kit.example:8443/v1/callbacks/env/main?kit=1"


@dataclass(frozen=True, slots=True)
class Signed:
    """A callback as the vendor sends it: the body, perhaps with the signature in it, and the headers."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One documented callback and the events in it.

    ``body`` is JSON as Python has it, or the bytes of a form. ``events`` are what it must be read as; of each, the
    fields that are not empty are compared, and ``id`` not at all. ``source`` is the page's title and date.
    """

    name: str
    body: Any
    events: Sequence[DeliveryEvent]
    source: str
    confirmed: bool = True

    def bodies(self) -> Iterator[bytes]:
        """The body in each spelling that JSON allows: the signature is on the bytes, not on what they mean."""
        if isinstance(self.body, bytes | str):
            yield self.body.encode() if isinstance(self.body, str) else self.body
            return
        yield json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()
        yield json.dumps(self.body, indent=3).encode() + b"\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Callbacks:
    """What the vendor tells later.

    ``sign``
        Signs a body as the vendor does: ``sign(body, url=…, at=…, forged=…)``. With ``forged`` it signs with another
        secret or private key than the integration's. Write it from the vendor's page, not with the provider's code.
    ``samples``
        The documented callbacks; together they have every kind in ``events``.
    ``unknown``
        The body of a callback of a kind that the provider does not know, which must be no event and no error.
    ``timestamped``
        False where the vendor signs no time (Twilio): then old callbacks cannot be told from new ones.
    ``covers_body``
        False where the vendor proves only who it is (Postmark's password, Mailgun's signature of a time and a token):
        then a changed body cannot be told from the real one.
    ``covers_bytes``
        False where the vendor signs what the JSON says and not its bytes (SNS): a space added then changes nothing.
    ``unsigned``
        Headers that ``sign`` adds and that the vendor does not sign or need.
    """

    sign: Callable[..., Signed]
    samples: Sequence[Sample]
    unknown: Any = None
    timestamped: bool = True
    covers_body: bool = True
    covers_bytes: bool = True
    unsigned: frozenset[str] = field(default_factory=frozenset[str])


def samples(kit: KitClass) -> Sequence[Sample]:
    """The documented callbacks."""
    return kit.vendor.callbacks.samples if kit.vendor.callbacks else ()


def has_callbacks(kit: KitClass) -> bool:
    """Whether the provider reads callbacks and the kit knows them."""
    return bool(kit.provider.events) and kit.vendor.callbacks is not None


class CallbackTests(Conformance):
    """Forged, changed, old, repeated and unknown callbacks."""

    @property
    def callbacks(self) -> Callbacks:
        """The vendor's."""
        assert self.vendor.callbacks is not None
        return self.vendor.callbacks

    def signed(self, body: bytes, *, at: datetime = NOW, forged: bool = False) -> Signed:
        """``body`` signed as the vendor does."""
        return self.callbacks.sign(body, url=URL, at=at, forged=forged)

    async def told(self, signed: Signed, *, now: datetime = NOW, url: str = URL) -> list[DeliveryEvent]:
        """The events of a callback."""
        async with self.stage() as stage:
            headers = Headers({name.upper(): value for name, value in signed.headers.items()})
            answer = await receive(stage.provider, CallbackRequest("POST", url, headers, signed.body, now))
            return list(answer.events)

    async def refused(self, signed: Signed, because: str, *, now: datetime = NOW) -> None:
        """Hold the provider to refuse ``signed``."""
        try:
            events = await self.told(signed, now=now)
        except CallbackRefused:
            return
        raise AssertionError(
            f"A callback was believed ({[str(event.kind) for event in events]}) although {because}. Check it with a "
            "`verify_…` of novukit.providers, on `request.body`, before anything in it is read."
        )

    @applies(lambda kit: bool(kit.provider.events))
    def test_the_callbacks_are_described(self) -> None:
        """Each kind that the provider names has a documented sample."""
        assert self.vendor.callbacks is not None, "The provider names `events`: describe `Vendor.callbacks`."
        kinds = {event.kind for one in samples(type(self)) for event in one.events}
        missing = sorted(self.provider.events - kinds)
        surplus = sorted(kinds - self.provider.events)
        assert not missing, f"Give a sample for each of `events`: {', '.join(missing)}."
        assert not surplus, f"Add to the provider's `events`: {', '.join(surplus)}."

    @each("sample", samples)
    async def test_a_documented_callback_has_its_events(self, sample: Sample) -> None:
        """However the vendor spells its JSON."""
        for body in sample.bodies():
            try:
                events = await self.told(self.signed(body))
            except CallbackRefused as err:
                raise AssertionError(
                    f"The documented, rightly signed callback {sample.name!r} was refused: {err} Sign over the bytes "
                    f"in `request.body`, not over JSON that was read and written again. ({sample.source})"
                ) from None
            assert len(events) == len(sample.events), f"{sample.name}: {len(events)} events of {len(sample.events)}."
            for event, wanted in zip(events, sample.events, strict=True):
                assert event.id, "An event without an id cannot be told from its repetition."
                for name in ("kind", "provider_message_id", "at", "recipient", "permanent", "tokens", "key"):
                    said, meant = getattr(event, name), getattr(wanted, name)
                    assert said == meant or (not meant and name != "permanent"), (
                        f"{sample.name}: `{name}` is {said!r}, documented is {meant!r} ({sample.source})."
                    )

    @applies(lambda kit: has_callbacks(kit) and bool(kit.vendor.callbacks and kit.vendor.callbacks.covers_body))
    async def test_one_byte_changed_is_refused(self) -> None:
        """Anywhere in the body."""
        signed = self.signed(next(samples(type(self))[0].bodies()))
        for place in (1, len(signed.body) // 2, len(signed.body) - 2):
            byte = signed.body[place]
            body = signed.body[:place] + bytes([byte ^ 1]) + signed.body[place + 1 :]
            await self.refused(Signed(body, signed.headers), f"byte {place} of its body was changed")
        if self.callbacks.covers_bytes:
            await self.refused(Signed(signed.body + b" ", signed.headers), "a space was added to it")

    @applies(has_callbacks)
    async def test_another_key_is_refused(self) -> None:
        """Whoever does not have the secret is not the vendor."""
        for sample in samples(type(self)):
            await self.refused(self.signed(next(sample.bodies()), forged=True), "it was signed with another key")

    @applies(has_callbacks)
    async def test_a_missing_header_is_refused(self) -> None:
        """Each one that the vendor signs with; and so is one that is empty or garbage."""
        signed = self.signed(next(samples(type(self))[0].bodies()))
        for name in set(signed.headers) - self.callbacks.unsigned:
            others = {key: value for key, value in signed.headers.items() if key != name}
            await self.refused(Signed(signed.body, others), f"the header {name} is missing")
            for garbage in ("", "v0,", "sha256=", "=", "ü", "0" * 5000):
                await self.refused(
                    Signed(signed.body, others | {name: garbage}), f"the header {name} is {garbage[:9]!r}"
                )

    @applies(lambda kit: has_callbacks(kit) and bool(kit.vendor.callbacks and kit.vendor.callbacks.timestamped))
    async def test_an_old_or_future_callback_is_refused(self) -> None:
        """More than five minutes off; within them it is believed."""
        body = next(samples(type(self))[0].bodies())
        for seconds in (-301, 301):
            signed = self.signed(body, at=NOW + timedelta(seconds=seconds))
            await self.refused(signed, f"its timestamp is {seconds} s off")
        for seconds in (-290, 290):
            assert await self.told(self.signed(body, at=NOW + timedelta(seconds=seconds))), "It is fresh enough."

    @applies(has_callbacks)
    async def test_a_repeated_callback_has_the_same_ids(self) -> None:
        """Vendors tell things twice: the second time is known by the id."""
        for sample in samples(type(self)):
            body = next(sample.bodies())
            first = [event.id for event in await self.told(self.signed(body))]
            again = [event.id for event in await self.told(self.signed(body, at=NOW + timedelta(seconds=60)))]
            assert first == again, "The same event had another id. Use the vendor's, or leave it out."
            assert len(set(first)) == len(first), "Two events of one callback have the same id."

    @applies(has_callbacks)
    async def test_the_order_of_callbacks_does_not_matter(self) -> None:
        """Each is read by itself."""
        bodies = [next(sample.bodies()) for sample in samples(type(self))]
        forth = [[event.kind for event in await self.told(self.signed(body))] for body in bodies]
        back = [[event.kind for event in await self.told(self.signed(body))] for body in reversed(bodies)]
        assert forth == back[::-1]

    @applies(lambda kit: has_callbacks(kit) and bool(kit.vendor.callbacks and kit.vendor.callbacks.unknown is not None))
    async def test_an_unknown_kind_is_no_event_and_no_error(self) -> None:
        """Vendors add kinds."""
        unknown = Sample(name="unknown", body=self.callbacks.unknown, events=(), source="the kit")
        for body in unknown.bodies():
            assert await self.told(self.signed(body)) == [], "What is not known is no event. Return an empty list."

    @applies(has_callbacks)
    async def test_garbage_that_is_signed_is_no_crash(self) -> None:
        """No event, or refused."""
        for body in (b"", b"null", b"[]", b"[1]", b"{}", b"\xff\xfe", b'{"type": 1, "data": []}', b"a=1&a=2&=&%zz"):
            try:
                signed = self.signed(body)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # the vendor's own way of signing cannot sign it
            try:
                assert await self.told(signed) == []
            except CallbackRefused:
                continue
            except Exception as err:
                raise AssertionError(f"The body {body!r} broke `callback`: {err}. Expect any JSON, or none.") from err

    @applies(has_callbacks)
    async def test_the_events_that_were_told_are_sound(self) -> None:
        """Times have a zone, and kinds are of the closed list."""
        for sample in samples(type(self)):
            for event in await self.told(self.signed(next(sample.bodies()))):
                assert isinstance(cast("object", event.kind), EventKind)
                assert event.at is None or event.at.tzinfo is not None, "Give `at` a zone; `moment` reads it."
