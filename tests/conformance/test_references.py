"""The reference providers pass the whole kit."""

from __future__ import annotations

from novukit.testing.conformance import EmailConformance, PushConformance, SmsConformance

from . import beeper, parcel, pigeon


class TestParcel(EmailConformance):
    """E-mail: native idempotency, callbacks, every optional field."""

    provider = parcel.Parcel
    vendor = parcel.VENDOR


class TestBeeper(PushConformance):
    """Push: access tokens, one request for each device."""

    provider = beeper.Beeper
    vendor = beeper.VENDOR


class TestPigeon(SmsConformance):
    """SMS: forms, basic authentication, look-up."""

    provider = pigeon.Pigeon
    vendor = pigeon.VENDOR
