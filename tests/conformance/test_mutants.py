"""Each historic bug, planted in a reference provider, is caught by the test of the kit that is there for it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from novukit.providers import (
    AnyProvider,
    CallbackRequest,
    EmailContent,
    HttpClient,
    Reason,
    Receipt,
    Rejected,
    Unknown,
    moment,
    read_json,
)
from novukit.testing.conformance import Conformance, EmailConformance, Nowhere, PushConformance, Vendor, failures

from . import beeper, parcel

pytestmark = pytest.mark.anyio


class ReplyToIgnored(parcel.Parcel):
    """novuhq/novu#3122: one provider did not pass the reply address on."""

    def body(self, content: EmailContent) -> dict[str, Any]:
        return super().body(content.model_copy(update={"reply_to": None}))


class SenderNameDropped(parcel.Parcel):
    """novuhq/novu#1813, #1417: the sender's name was lost."""

    def body(self, content: EmailContent) -> dict[str, Any]:
        return super().body(content.model_copy(update={"sender_name": None}))


class HeadersDropped(parcel.Parcel):
    """novuhq/novu#5689: headers were not sent."""

    def body(self, content: EmailContent) -> dict[str, Any]:
        return super().body(content.model_copy(update={"headers": {}}))


class AttachmentBroken(parcel.Parcel):
    """novuhq/novu#9178: an attachment's bytes were made text on the way."""

    def body(self, content: EmailContent) -> dict[str, Any]:
        made = super().body(content)
        for file, said in zip(content.attachments, made["files"], strict=True):
            said["data"] = file.content.decode("utf-8", "replace")
        return made


class NoContentIds(parcel.Parcel):
    """A vendor without inline pictures: one that has a content id is refused."""

    def body(self, content: EmailContent) -> dict[str, Any]:
        if any(file.content_id for file in content.attachments):
            raise Rejected("no inline pictures", reason=Reason.UNSUPPORTED_FEATURE)
        return super().body(content)


class InlinePicturesSentAsFiles(NoContentIds):
    """The HTML pointed to a picture that stood among the attachments."""

    def body(self, content: EmailContent) -> dict[str, Any]:
        return parcel.Parcel.body(self, content)


class GoneByWords(beeper.Beeper):
    """novuhq/novu#12532: a dead token was known by the words of the error instead of its code."""

    def is_gone(self, code: object, message: object) -> bool:
        return "not registered" in str(message) or "not found" in str(message)


class GoesAroundHttp2(beeper.Beeper):
    """It says HTTP/2 and speaks HTTP/1.1: the vendor hangs up, and it looks like a network that fails."""

    def __init__(self, credentials: beeper.BeeperCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.http = http


class TimeoutIsRejected(parcel.Parcel):
    """A lost answer was told as a failure, and the message sent again by hand."""

    async def send(self, content: EmailContent, key: str) -> Receipt:
        try:
            return await super().send(content, key)
        except Unknown as err:
            raise Rejected(err.detail) from err


class NewKeyOnRetry(parcel.Parcel):
    """Each try had a key of its own, so the vendor sent each."""

    async def send(self, content: EmailContent, key: str) -> Receipt:
        return await super().send(content, str(uuid4()))


class KeyInTheLog(parcel.Parcel):
    """The headers were logged, and the API key with them."""

    async def send(self, content: EmailContent, key: str) -> Receipt:
        logging.getLogger("parcel").debug("sending with %s", self.headers(key))
        return await super().send(content, key)


class ErrorIn200IsAccepted(parcel.Parcel):
    """novuhq/novu#2442: the status was 200, the body said no, and the message was shown as sent."""

    async def send(self, content: EmailContent, key: str) -> Receipt:
        response = await self.http.post(f"{self.base_url}/send", json=self.body(content), headers=self.headers(key))
        if response.status_code == 200:
            return Receipt(read_json(response).get("id"))
        return await super().send(content, key)


class SignatureOverJsonWrittenAgain(parcel.Parcel):
    """The signature was checked on JSON that had been read and written again."""

    def verify(self, request: CallbackRequest, body: bytes) -> None:
        again = json.dumps(request.json(), separators=(",", ":"), ensure_ascii=False).encode()
        super().verify(request, again)


class SignatureNotChecked(parcel.Parcel):
    """Anybody could say that a message bounced."""

    def verify(self, request: CallbackRequest, body: bytes) -> None:
        pass


class OldCallbacksBelieved(parcel.Parcel):
    """A recorded callback could be played again years later."""

    def verify(self, request: CallbackRequest, body: bytes) -> None:
        then = moment(request.headers.get("Parcel-Time", ""))
        super().verify(replace(request, now=then or request.now), body)


WITHOUT_PICTURES = replace(
    parcel.VENDOR, fields={**parcel.VENDOR.fields, "attachments.content_id": Nowhere("it has no inline pictures")}
)

MUTANTS: list[tuple[type[AnyProvider], type[Conformance], Vendor, str]] = [
    (ReplyToIgnored, EmailConformance, parcel.VENDOR, "test_a_field_reaches_the_wire[reply_to]"),
    (SenderNameDropped, EmailConformance, parcel.VENDOR, "test_a_field_reaches_the_wire[sender_name]"),
    (HeadersDropped, EmailConformance, parcel.VENDOR, "test_a_field_reaches_the_wire[headers]"),
    (AttachmentBroken, EmailConformance, parcel.VENDOR, "test_a_file_reaches_the_wire[attachments.content]"),
    (InlinePicturesSentAsFiles, EmailConformance, WITHOUT_PICTURES, "test_a_picture_within_the_html_is_refused"),
    (GoneByWords, PushConformance, beeper.VENDOR, "test_a_token_that_is_not_gone_is_kept[400 INVALID_ARGUMENT]"),
    (GoneByWords, PushConformance, beeper.VENDOR, "test_a_token_that_is_gone_is_named[404 UNREGISTERED]"),
    (GoesAroundHttp2, PushConformance, beeper.VENDOR, "test_it_speaks_http2"),
    (TimeoutIsRejected, EmailConformance, parcel.VENDOR, "test_no_answer_leaves_it_unknown"),
    (NewKeyOnRetry, EmailConformance, parcel.VENDOR, "test_a_second_try_has_the_same_key"),
    (KeyInTheLog, EmailConformance, parcel.VENDOR, "test_no_secret_is_told"),
    (ErrorIn200IsAccepted, EmailConformance, parcel.VENDOR, "test_a_documented_error_has_its_outcome[error in a 200]"),
    (
        SignatureOverJsonWrittenAgain, EmailConformance, parcel.VENDOR,
        "test_a_documented_callback_has_its_events[delivered and bounced]",
    ),
    (SignatureNotChecked, EmailConformance, parcel.VENDOR, "test_one_byte_changed_is_refused"),
    (OldCallbacksBelieved, EmailConformance, parcel.VENDOR, "test_an_old_or_future_callback_is_refused"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mutant", "base", "vendor", "test"), MUTANTS, ids=[f"{mutant.__name__}-{test}" for mutant, _, _, test in MUTANTS]
)
async def test_a_historic_bug_is_caught(
    mutant: type[AnyProvider], base: type[Conformance], vendor: Vendor, test: str
) -> None:
    """By its own test, which the reference passes."""
    reference = mutant.__bases__[0]
    of_reference = type("OfReference", (base,), {"provider": reference, "vendor": vendor})
    of_mutant = type("OfMutant", (base,), {"provider": mutant, "vendor": vendor})

    assert await failures(of_reference, only=test) == {}
    found = await failures(of_mutant, only=test)

    assert test in found
    assert len(found[test]) > 40, "the failure says what to do"
