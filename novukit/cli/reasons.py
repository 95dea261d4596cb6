"""Reasons in plain words: the codes of :class:`novukit.model.Reason`, as one says them to a person."""

from __future__ import annotations

WORDS = {
    "preference": "this channel is switched off",
    "outside_schedule": "it is outside the hours of the subscriber's schedule",
    "no_address": "the subscriber has no address for this channel",
    "suppressed": "the address is suppressed",
    "already_seen": "the subscriber has seen the earlier message",
    "already_read": "the subscriber has read the earlier message",
    "skip_condition": "the step's own skip function says so",
    "not_reached": "the workflow did not come to this step",
    "paced": "the integration is at its rate; its next free moment is kept for this message",
    "circuit_open": "the integration fails again and again, and is given a rest",
    "bridge_unavailable": "the application behind the bridge does not answer",
    "no_integration": "the channel has no active integration",
    "no_sender": "the integration names no sender",
    "route_failed": "the routing function raised an error, or named an integration that is not there",
    "provider_missing": "the provider's plugin is not installed",
    "provider_rejected": "the provider refused the message",
    "provider_unavailable": "the provider could not be reached",
    "provider_throttled": "the provider asks to slow down",
    "recipient_gone": "the address no longer exists",
    "outcome_unknown": "the provider's answer was lost; it may have gone out",
    "given_up": "a person gave the message up, as its outcome was unknown",
    "not_sent": "a person said that it had not gone out; it is sent again",
    "unsupported_feature": "the provider cannot express this message",
    "credentials_invalid": "the integration's credentials are not valid",
    "plugin_error": "the provider's plugin raised an error",
    "template_failed": "the template could not be rendered",
    "content_invalid": "the content breaks a rule",
    "not_serialisable": "a value cannot be kept as JSON",
    "custom_failed": "the custom function raised an error",
    "bridge_failed": "the application behind the bridge refused the step, or its answer makes no sense",
    "past_date": "the moment to wait for has passed",
    "digest_merged": "it joined a digest that was open",
    "digest_first": "nothing else came within the look-back, so it went on at once",
    "throttled": "there were too many within the window",
    "late": "the moment to wait for had passed already",
    "step_failed": "a step failed",
    "workflow_raised": "the workflow raised an error",
    "step_misuse": "a step was used in a way that cannot be made durable",
    "payload_invalid": "the payload no longer fits the workflow",
    "subscriber_deleted": "the subscriber was deleted",
    "replay_diverged": "the code no longer fits what is on record",
    "poison": "worker after worker died while it ran",
    "workflow_gone": "this environment has no such workflow any more",
    "cancelled": "it was cancelled",
}


def in_words(reason: str | None) -> str:
    """The words for a reason; one that is not known here is given as it is."""
    return "" if not reason else WORDS.get(reason, reason.replace("_", " "))
