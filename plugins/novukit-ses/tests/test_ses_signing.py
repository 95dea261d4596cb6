"""Requests are signed as AWS's published test vectors are, with keys of the integration or of AWS's own chain."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from novukit_ses import Aws, AwsCredentials, Keys, Ses, SesCredentials, sign

from novukit.providers import CredentialsInvalid, EmailContent, HttpClient, Outcome, Reason, Rejected, deliver
from novukit.providers.credentials import read

ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SESSION = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
FORM = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Content-Length": "13",
    "x-amz-content-sha256": "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
}
# github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4: the header-signed-request.txt of each.
VECTORS: dict[str, tuple[str, str, dict[str, str], bytes, str | None, str, str]] = {
    "get-vanilla-with-session-token": (
        "GET", "/", {}, b"", SESSION, "host;x-amz-date;x-amz-security-token",
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    ),
    "get-utf8": (
        "GET", "/ሴ", {}, b"", None, "host;x-amz-date",
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    "post-vanilla-query": (
        "POST", "/?Param1=value1", {}, b"", None, "host;x-amz-date",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    "post-x-www-form-urlencoded": (
        "POST", "/", FORM, b"Param1=value1", None, "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
}  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_of_aws_has_its_signature(vector: str) -> None:
    """Path, query, headers, body and session token, each as AWS signs it."""
    method, target, headers, body, token, names, signature = VECTORS[vector]
    made = sign(
        Keys(ACCESS, SECRET, token), method, f"https://example.amazonaws.com{target}", headers, body,
        service="service", region="us-east-1", at=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )  # fmt: skip
    assert made["X-Amz-Date"] == "20150830T123600Z"
    assert made.get("X-Amz-Security-Token") == token
    assert made["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={ACCESS}/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails", '{"ü": "👋"}'.encode()),
        ("GET", "https://sns.us-east-1.amazonaws.com/?Version=2010-03-31&Action=Get%20It&b=%2F&a=", b""),
    ],
)
def test_botocore_signs_alike(method: str, url: str, body: bytes) -> None:
    """At the moment that its own clock says."""
    headers = {"Content-Type": "application/json", "X-Kit": "  two   words "}
    theirs: Any = AWSRequest(method, url, headers=headers, data=body)
    SigV4Auth(Credentials(ACCESS, SECRET, SESSION), "ses", "eu-central-1").add_auth(theirs)
    at = datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = sign(Keys(ACCESS, SECRET, SESSION), method, url, headers, body, service="ses", region="eu-central-1", at=at)
    assert ours["Authorization"] == theirs.headers["Authorization"]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"apiKey": "a"}, "both"),
        ({"secretKey": "a"}, "both"),
        ({"sessionToken": "a"}, "needs apiKey and secretKey"),
        ({"region": "evil.example/"}, "region"),
        ({"region": ""}, "region"),
    ],
)
def test_half_a_key_is_refused(given: dict[str, str], word: str) -> None:
    """And a region that would lead elsewhere."""
    with pytest.raises(CredentialsInvalid, match=word):
        read(SesCredentials, {"region": "eu-central-1"} | given, provider_id="ses")


def clock() -> datetime:
    """A time that stands."""
    return datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine on which AWS's chain finds nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("BOTO_CONFIG", str(tmp_path / "boto"))
    return monkeypatch


@pytest.mark.anyio
async def test_without_a_key_the_chain_is_asked(bare: pytest.MonkeyPatch) -> None:
    """Here the environment, with a session token; once for many requests, and not on the event loop's thread."""
    for name, value in (("ACCESS_KEY_ID", ACCESS), ("SECRET_ACCESS_KEY", SECRET), ("SESSION_TOKEN", SESSION)):
        bare.setenv(f"AWS_{name}", value)
    threads: list[int] = []

    class Watched(Aws):
        def load(self) -> Keys | None:
            threads.append(threading.get_ident())
            return super().load()

    aws = Watched("ses", AwsCredentials(region="eu-central-1"), clock)
    url = "https://email.eu-central-1.amazonaws.com/v2/email/account"
    first, headers = await aws.signed("GET", url), await aws.signed("GET", url)
    assert first == headers
    assert f"Credential={ACCESS}/20260115/eu-central-1/ses/" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == SESSION
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


@pytest.mark.anyio
async def test_a_chain_that_finds_nothing_is_told(bare: pytest.MonkeyPatch) -> None:
    """As bad credentials, and nothing is sent."""
    aws = Aws("ses", AwsCredentials(region="eu-central-1"), clock)
    with pytest.raises(Rejected, match="has found none"):
        await aws.signed("GET", "https://email.eu-central-1.amazonaws.com/")
    ses = Ses(SesCredentials(region="eu-central-1"), HttpClient())
    mail = EmailContent(to="ada@kit.example", sender="shop@kit.example", subject="Hi", text="Hi")
    delivery = await deliver(ses, mail, "key")
    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.CREDENTIALS_INVALID)


@pytest.mark.anyio
async def test_a_chain_that_fails_is_unavailable(bare: pytest.MonkeyPatch) -> None:
    """A profile that is not there says so; the message was not sent."""
    bare.setenv("AWS_PROFILE", "kit-no-such-profile")
    ses = Ses(SesCredentials(region="eu-central-1"), HttpClient())
    mail = EmailContent(to="ada@kit.example", sender="shop@kit.example", subject="Hi", text="Hi")
    delivery = await deliver(ses, mail, "key")
    assert delivery.outcome is Outcome.UNAVAILABLE
    assert "kit-no-such-profile" in delivery.detail


@pytest.fixture
def anyio_backend() -> str:
    """novukit is asyncio only."""
    return "asyncio"
