"""The conformance tests of each channel: what a plugin's test file subclasses."""

from __future__ import annotations

from .answers import AnswerTests
from .callbacks import CallbackTests
from .devices import DeviceTests
from .fields import FieldTests
from .http2 import Http2Tests
from .keys import KeyTests
from .network import NetworkTests
from .secrets import SecretTests


class EmailConformance(FieldTests, AnswerTests, NetworkTests, KeyTests, SecretTests, CallbackTests, Http2Tests):
    """What every e-mail provider must keep."""


class SmsConformance(FieldTests, AnswerTests, NetworkTests, KeyTests, SecretTests, CallbackTests, Http2Tests):
    """What every SMS provider must keep."""


class PushConformance(
    FieldTests, AnswerTests, NetworkTests, KeyTests, SecretTests, CallbackTests, Http2Tests, DeviceTests
):
    """What every push provider must keep."""


class ChatConformance(FieldTests, AnswerTests, NetworkTests, KeyTests, SecretTests, CallbackTests, Http2Tests):
    """What every chat provider must keep."""
