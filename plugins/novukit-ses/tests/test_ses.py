"""SES keeps what every e-mail provider must."""

from __future__ import annotations

from email.header import decode_header, make_header

from novukit_ses import Ses
from ses_vendor import VENDOR, mime, tags  # pyright: ignore[reportMissingImports] - pytest knows this folder

from novukit.providers import Reason, check
from novukit.testing.conformance import Answer, EmailConformance


class TestSes(EmailConformance):
    """The kit, on SES."""

    provider = Ses
    vendor = VENDOR

    async def test_what_is_sent_is_signed(self) -> None:
        """With the region, the service and the session token; the body too."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert "/eu-central-1/ses/aws4_request, SignedHeaders=content-type;host;" in request.headers["authorization"]
        assert request.headers["x-amz-security-token"] == "kit//session+token=="
        assert request.path == "/v2/email/outbound-emails"
        assert request.json["ConfigurationSetName"] == "kit-set"

    async def test_the_key_is_a_tag(self) -> None:
        """Events repeat it: by it a message is found whose answer was lost."""
        async with self.stage() as stage:
            assert tags(await stage.sent("kit-key-77", metadata={"shop": "1"})) == {
                "shop": "1",
                "novukit_key": "kit-key-77",
            }

    async def test_what_cannot_be_a_tag_is_refused(self) -> None:
        """SES would refuse the message too."""
        async with self.stage() as stage:
            delivery = await stage.deliver(metadata={"shop": "Zürich"})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)

    async def test_raw_mail_says_the_same_as_simple_mail(self) -> None:
        """Headers and files make it raw; all the rest is there as well, and the copies are in the envelope."""
        async with self.stage() as stage:
            request = await stage.sent(
                headers={"X-Kit": "1"}, cc=("cc@kit.example",), bcc=("bcc@kit.example",), reply_to="re@kit.example"
            )
        message = mime(request)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        assert text is not None
        assert html is not None
        assert (text.get_content().strip(), html.get_content().strip()) == ("Text of the kit", "<p>Html of the kit</p>")
        assert (message["From"], message["Subject"]) == ("Shop Kit <hello@shop.example>", "Subject of the kit")
        assert (message["Reply-To"], message["Cc"], message["Bcc"]) == ("re@kit.example", "cc@kit.example", None)
        assert request.json["Destination"] == {
            "ToAddresses": ["ada@kit.example"], "CcAddresses": ["cc@kit.example"], "BccAddresses": ["bcc@kit.example"],
        }  # fmt: skip

    async def test_names_and_addresses_travel_in_ascii(self) -> None:
        """Names as encoded words, domains as Punycode; what only SMTPUTF8 can write is refused, raw or simple."""
        async with self.stage() as stage:
            request = await stage.sent(sender_name="Zoë Łódź", to="ada@bücher.example")
            sender = request.json["FromEmailAddress"]  # which of the two ways to encode it, other packages may set
            assert sender.isascii()
            assert str(make_header(decode_header(sender))) == "Zoë Łódź <hello@shop.example>"
            assert request.json["Destination"]["ToAddresses"] == ["ada@xn--bcher-kva.example"]
            stage.server.sent.clear()
            for headers in ({}, {"X-Kit": "1"}):
                refused = await stage.deliver(to="adä@kit.example", headers=headers)
                assert (refused.reason, stage.server.sent) == (Reason.CONTENT_INVALID, [])

    async def test_the_words_for_a_wrong_signature_do_not_repeat_it(self) -> None:
        """AWS repeats what was to be signed, and with it the session token of the chain, which nobody would mask."""
        said = "The signature does not match.\n\nThe Canonical String was\n'x-amz-security-token:abc'"
        answer = Answer(403, {"message": said}, {"x-amzn-ErrorType": "InvalidSignatureException"})
        async with self.stage(answer) as stage:
            delivery = await stage.deliver()
        assert delivery.detail == "answered 403: InvalidSignatureException: The signature does not match."

    async def test_the_check_tells_what_stands_in_the_way(self) -> None:
        """The sandbox is a remark; paused sending is a failure."""
        sandbox = Answer(200, {"SendingEnabled": True, "ProductionAccessEnabled": False})
        forbidden = Answer(403, {"message": "no"}, {"x-amzn-ErrorType": "AccessDeniedException"})
        paused = Answer(200, {"SendingEnabled": False, "ProductionAccessEnabled": True})
        for answer, works, word in (
            (sandbox, True, "sandbox"),
            (forbidden, True, "ses:GetAccount"),
            (paused, False, "paused"),
        ):
            async with self.stage(answer) as stage:
                checked = await check(stage.provider)
            assert (checked.accepted, word in checked.detail) == (works, True), checked
