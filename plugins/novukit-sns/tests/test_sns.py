"""Amazon SNS keeps what every SMS provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

from typing import Any

import pytest
from novukit_sns import Sns, form

from novukit.providers import Outcome, Reason, SmsContent, check
from novukit.testing.conformance import Answer, Documented, Request, SmsConformance, Vendor

PUBLISH = "SNS API Reference: Publish, «Errors»; botocore 1.44.8, sns/2010-03-31"
COMMON = "SNS API Reference: Common Errors"
XMLNS = "http://sns.amazonaws.com/doc/2010-03-31/"
MESSAGE = "567910cd-659e-55d4-8ccb-5aaf14679dc0"


def published() -> Answer:
    """The answer to a message, in XML as the page shows it."""
    return Answer(
        200,
        f"""<PublishResponse xmlns="{XMLNS}">
    <PublishResult><MessageId>{MESSAGE}</MessageId></PublishResult>
    <ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata>
</PublishResponse>""",
    )


def sandbox(inside: str) -> Answer:
    """The answer of GetSMSSandboxAccountStatus."""
    return Answer(
        200,
        f"""<GetSMSSandboxAccountStatusResponse xmlns="{XMLNS}">
  <GetSMSSandboxAccountStatusResult><IsInSandbox>{inside}</IsInSandbox></GetSMSSandboxAccountStatusResult>
</GetSMSSandboxAccountStatusResponse>""",
    )


def failed(code: str) -> str:
    """An error in XML, as AWS's query protocol has it."""
    return f"""<ErrorResponse xmlns="{XMLNS}"><Error><Type>Sender</Type><Code>{code}</Code>
<Message>The words for {code}.</Message></Error><RequestId>9dd01905-5012-5f99</RequestId></ErrorResponse>"""


def error(
    status: int, code: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None, source: str = PUBLISH,
    *, confirmed: bool = True,
) -> Documented:  # fmt: skip
    """An error of the list."""
    return Documented(
        name=f"{status} {code}", status=status, body=failed(code), outcome=outcome, reason=reason, source=source,
        confirmed=confirmed,
    )  # fmt: skip


def attributes(fields: dict[str, Any]) -> dict[str, str]:
    """The message attributes in a form."""
    numbers = [name.split(".")[2] for name in fields if name.endswith(".Name")]
    at = "MessageAttributes.entry."
    return {fields[f"{at}{number}.Name"]: fields[f"{at}{number}.Value.StringValue"] for number in numbers}


def attribute(name: str) -> Any:
    """The place of a message attribute."""
    return lambda request: attributes(request.form).get(name)


def target(request: Request) -> str:
    """What the request asks of SNS, and of whom."""
    return f"{request.form['Action']} {request.form['Version']} {request.method} {request.target}"


class TestSns(SmsConformance):
    """The kit, on SNS."""

    provider = Sns
    vendor = Vendor(
        credentials={
            "api_key": "AKIAKITKEY0001", "secret_key": "kit/secret+key/0001", "session_token": "kit//session+token==",
            "region": "eu-central-1",
        },
        accepted=published(),
        message_id=MESSAGE,
        fields={
            "to": "form:PhoneNumber",
            "sender": attribute("AWS.MM.SMS.OriginationNumber"),
            "body": "form:Message",
        },
        overrides={
            "AWS.SNS.SMS.SMSType": ("Transactional", attribute("AWS.SNS.SMS.SMSType")),
            "AWS.SNS.SMS.MaxPrice": ("0.50", attribute("AWS.SNS.SMS.MaxPrice")),
        },
        check=sandbox("false"),
        errors=[
            error(400, "InvalidParameter"),
            error(400, "ParameterValueInvalid"),
            error(400, "KMSThrottling", Outcome.THROTTLED),
            error(400, "OptedOut", Outcome.RECIPIENT_GONE, confirmed=False),
            error(400, "Throttling", Outcome.THROTTLED, source=COMMON),
            error(400, "ThrottlingException", Outcome.THROTTLED, source=COMMON),
            error(403, "AuthorizationError", reason=Reason.CREDENTIALS_INVALID),
            error(403, "InvalidClientTokenId", reason=Reason.CREDENTIALS_INVALID, source=COMMON),
            error(403, "InvalidSecurity", reason=Reason.CREDENTIALS_INVALID),
            error(403, "SignatureDoesNotMatch", reason=Reason.CREDENTIALS_INVALID, source=COMMON, confirmed=False),
            error(404, "NotFound"),
            error(429, "Throttled", Outcome.THROTTLED, confirmed=False),
            error(500, "InternalError", Outcome.UNKNOWN),
            error(503, "ServiceUnavailable", Outcome.UNAVAILABLE, source=COMMON),
        ],
    )  # fmt: skip

    async def test_what_is_sent_is_signed(self) -> None:
        """For SNS, in the region, with the session token."""
        async with self.stage() as stage:
            request = await stage.sent()
        assert target(request) == "Publish 2010-03-31 POST /"
        assert "/eu-central-1/sns/aws4_request, SignedHeaders=content-type;host;" in request.headers["authorization"]
        assert request.headers["x-amz-security-token"] == "kit//session+token=="

    async def test_the_check_tells_of_the_sandbox(self) -> None:
        """As a remark, for the credentials are good; and that the key may not look is one too."""
        for answer, word in (
            (sandbox("true"), "only verified numbers"),
            (Answer(403, failed("AuthorizationError")), "sns:GetSMSSandboxAccountStatus"),
        ):
            async with self.stage(answer) as stage:
                checked = await check(stage.provider)
            assert checked.accepted
            assert word in checked.detail


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("+4915187654321", "AWS.MM.SMS.OriginationNumber"),
        ("12345", "AWS.MM.SMS.OriginationNumber"),
        ("Acme", "AWS.SNS.SMS.SenderID"),
        ("Acme24", "AWS.SNS.SMS.SenderID"),
        (None, None),
    ],
)
def test_a_number_and_a_name_are_told_apart(sender: str | None, name: str | None) -> None:
    """AWS has an attribute for each; without a sender it takes the account's own."""
    made = form(SmsContent(to="+15550", body="Hi"), sender)
    assert attributes(made) == ({name: sender} if name else {})


def test_numbers_are_called_numbers() -> None:
    """A price of another type is refused by AWS."""
    made = form(SmsContent(to="+15550", body="Hi", overrides={"AWS.SNS.SMS.MaxPrice": 0.5}), "Acme")
    entries = [f"MessageAttributes.entry.{number}" for number in (1, 2)]
    kinds = {made[f"{entry}.Name"]: made[f"{entry}.Value.DataType"] for entry in entries}
    assert kinds == {"AWS.SNS.SMS.MaxPrice": "Number", "AWS.SNS.SMS.SenderID": "String"}
