"""Each field of a message reaches the wire, whole, where the vendor documents it; or the message is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...providers import Outcome, Reason
from .kit import Conformance, KitClass, applies, at, each, expect, stands
from .samples import (
    ATTACHMENT_PARTS,
    BODIES,
    BROKEN,
    FILE,
    LINES,
    LONG,
    OTHER,
    SAMPLES,
    TEXTS,
    broken,
    optional,
    pair,
)  # fmt: skip
from .vendor import Nowhere, Place, Spelled

LONGEST = 20_000
FIELDS_OF_FILES = [f"attachments.{part}" for part in ATTACHMENT_PARTS]


def fields(kit: KitClass) -> list[str]:
    """The fields that the provider must express: the plain ones, and what it ``supports``."""
    optionals = [name for name in optional(kit.provider.channel) if name in kit.provider.supports]
    own = sorted(SAMPLES[kit.provider.channel].plain) + [name for name in optionals if name != "attachments"]
    return own + (FIELDS_OF_FILES if "attachments" in optionals else [])


def placed(kit: KitClass, *, files: bool) -> list[str]:
    """Those that have a place."""
    names = [name for name in fields(kit) if not isinstance(kit.vendor.fields.get(name), Nowhere)]
    return [name for name in names if (name in FIELDS_OF_FILES) == files]


def unsupported(kit: KitClass) -> list[str]:
    """The optional fields that the provider does not express."""
    return [name for name in optional(kit.provider.channel) if name not in kit.provider.supports]


def shows_nothing(kit: KitClass) -> bool:
    """Whether attachments are taken, and none can be shown within the HTML."""
    return "attachments" in kit.provider.supports and isinstance(
        kit.vendor.fields.get("attachments.content_id"), Nowhere
    )


def lines(kit: KitClass) -> Iterator[str]:
    """The fields that must stay on one line, of those that get as far as the provider."""
    kind = SAMPLES[kit.provider.channel]
    yield from (f for f in LINES[kit.provider.channel] if f in kind.plain or f in kit.provider.supports)


def longest(kit: KitClass, field: str) -> int:
    """The most characters that the kit writes into ``field``."""
    limits = kit.provider.limits
    room = (limits.size - 1000) // 4 if limits.size else LONGEST
    return max(1, min(LONGEST, room, limits.lengths.get(field, 900 if field == "subject" else LONGEST)))


def value_of(kit: KitClass, field: str, which: int) -> Any:
    """One of the two values of ``field``."""
    values = (FILE, OTHER) if field == "attachments" else pair(kit.provider.channel, field, kit.vendor.content)
    return (values[which],) if field == "attachments" else values[which]


class FieldTests(Conformance):
    """What a message says is what the vendor is told."""

    def test_every_field_has_a_place(self) -> None:
        """``Vendor.fields`` says of each field where it stands, and of no other."""
        known = set(fields(type(self)))
        missing, surplus = sorted(known - set(self.vendor.fields)), sorted(set(self.vendor.fields) - known)
        assert not missing, f"Say in `Vendor.fields` where these stand in the request: {', '.join(missing)}."
        assert not surplus, f"Add these to `supports`, or take them from `Vendor.fields`: {', '.join(surplus)}."

    @each("field", lambda kit: placed(kit, files=False))
    async def test_a_field_reaches_the_wire(self, field: str) -> None:
        """Two messages that differ in one field differ at its place, and say its value there."""
        place = self.place(field)
        first, second = pair(self.provider.channel, field, self.vendor.content)
        async with self.stage() as stage:
            for value, other in ((first, second), (second, first)):
                request = await stage.sent(**{field: value})
                if field == "webhook_url":
                    value, other = f"/{value.split('/', 3)[3]}", f"/{other.split('/', 3)[3]}"  # noqa: PLW2901
                assert stands(request, place, value), (
                    f"{field}={value!r} did not reach the vendor: at {place!r} stands {at(request, place)!r}. Write it "
                    f"there in `send`, or take {field!r} from `supports`. The request was:\n{request}"
                )
                assert not stands(request, place, other) or other in (0, value) or other == value, (
                    f"{field} is {value!r} and yet {other!r} stands at {place!r}. Take it from `content`."
                )

    @each("field", lambda kit: placed(kit, files=True))
    async def test_a_file_reaches_the_wire(self, field: str) -> None:
        """Of two attachments, both have their name, bytes, type and content id at their places."""
        part = field.partition(".")[2]
        other = OTHER.model_copy(update={"content_id": None}) if shows_nothing(type(self)) else OTHER
        async with self.stage() as stage:
            request = await stage.sent(attachments=(FILE, other))
        for index, file in enumerate((FILE, other)):
            place, value = nth(self.place(field), index), getattr(file, part)
            assert value is None or stands(request, place, value), (
                f"Attachment {index + 1} has the {part} {value!r}, and at {place!r} stands {at(request, place)!r}. "
                f"Bytes travel as base64 (RFC 4648 §4) unless the vendor says otherwise."
            )

    @applies(shows_nothing)
    async def test_a_picture_within_the_html_is_refused(self) -> None:
        """Where the vendor has no place for a content id, the HTML would point to nothing."""
        async with self.stage() as stage:
            delivery = await stage.deliver(attachments=(OTHER,))
            assert delivery.reason is Reason.UNSUPPORTED_FEATURE, (
                f"The content id {OTHER.content_id!r} has no place in the request, yet {delivery}. Raise Rejected with "
                "the reason `unsupported_feature`."
            )
            assert not stage.server.connections

    @each("field", unsupported)
    async def test_what_is_not_supported_is_refused(self, field: str) -> None:
        """It never reaches the vendor, and is never left out in silence."""
        async with self.stage() as stage:
            delivery = await stage.deliver(**{field: value_of(type(self), field, 1)})
            assert delivery.reason is Reason.UNSUPPORTED_FEATURE, f"{field!r} is not in `supports`, yet {delivery}."
            assert not stage.server.connections

    @each("text", lambda kit: TEXTS)
    async def test_words_of_any_script_arrive(self, text: str) -> None:
        """Unicode, emoji, right to left, quotes: at the vendor as the author wrote them."""
        for field in BODIES[self.provider.channel]:
            async with self.stage() as stage:
                request = await stage.sent(**{field: TEXTS[text]})
            assert stands(request, self.place(field), TEXTS[text]), (
                f"{field}={TEXTS[text]!r} arrived as {at(request, self.place(field))!r}. Send JSON or a form in UTF-8; "
                f"where the vendor wants it escaped, say so with `Spelled`."
            )

    @each("field", lambda kit: BODIES[kit.provider.channel])
    async def test_long_words_arrive_whole(self, field: str) -> None:
        """As long as the limits allow, and not cut."""
        text = (LONG * LONGEST)[: longest(type(self), field)]
        async with self.stage() as stage:
            request = await stage.sent(**{field: text})
        assert stands(request, self.place(field), text), (
            f"{field} of {len(text)} characters did not arrive whole. Cut nothing; name the vendor's limit in `limits`."
        )

    @each("field", lambda kit: sorted(kit.provider.limits.lengths))
    async def test_more_than_a_length_is_refused(self, field: str) -> None:
        """One character too many, and nothing is sent."""
        most = self.provider.limits.lengths[field]
        async with self.stage() as stage:
            delivery = await stage.deliver(**{field: "x" * (most + 1)})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
            assert str(most) in delivery.detail

    @each("size", lambda kit: [kit.provider.limits.size] if kit.provider.limits.size else [])
    async def test_more_than_the_size_is_refused(self, size: int) -> None:
        """Nothing is sent, and the refusal has the number."""
        async with self.stage() as stage:
            delivery = await stage.deliver(**{BODIES[self.provider.channel][-1]: "x" * (size + 1)})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)

    @each("field", lines)
    async def test_a_line_break_is_refused(self, field: str) -> None:
        """No header, no second recipient can be smuggled in, and nothing is sent."""
        for name, evil in BROKEN.items():
            async with self.stage() as stage:
                delivery = await stage.deliver(**{field: broken(self.provider.channel, field, evil)})
                expect(delivery, Outcome.REJECTED, f"{field} has {name} in it.")
                assert not stage.server.connections

    @each("name", lambda kit: sorted(kit.vendor.overrides))
    async def test_an_override_reaches_the_wire(self, name: str) -> None:
        """What only this vendor has is passed on as it was given."""
        value, place = self.vendor.overrides[name]
        async with self.stage() as stage:
            request = await stage.sent(overrides={name: value})
        assert stands(request, place, value), (
            f"The override {name}={value!r} did not reach {place!r}: there stands {at(request, place)!r}."
        )


def nth(place: Place, index: int) -> Place:
    """The place of the attachment at ``index``, made of that of the first."""
    if isinstance(place, str):
        return place.replace("[0]", f"[{index}]", 1)
    if isinstance(place, Spelled) and isinstance(place.at, str):
        return Spelled(place.at.replace("[0]", f"[{index}]", 1), place.spelling)
    return place
