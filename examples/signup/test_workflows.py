"""The first two days of a sign-up, told in virtual time."""

import pytest

from examples.signup.workflows import Signup, welcome_aboard
from novukit.testing import Harness


@pytest.fixture
async def grace(novukit: Harness) -> Signup:
    """Grace has just signed up."""
    await novukit.subscriber("grace", email="grace@example.com")
    return Signup(name="Grace", interest="maps")


async def test_a_welcome_comes_in_both_channels(novukit: Harness, grace: Signup) -> None:
    """With the tip that was picked for her, and a button in the inbox."""
    await novukit.trigger(welcome_aboard, to="grace", payload=grace)

    [hello] = await novukit.inbox("grace")
    [email] = novukit.outbox.email
    assert "Welcome, Grace" == hello.subject == email.subject
    assert hello.body == "A good place to begin: Five minutes with maps."
    assert "https://app.example/start/maps" in email.text


async def test_who_stays_away_is_nudged_after_two_days(novukit: Harness, grace: Signup) -> None:
    """Once, and about the same tip."""
    await novukit.trigger(welcome_aboard, to="grace", payload=grace)

    await novukit.travel(days=2)

    assert [email.step_id for email in novukit.outbox.email] == ["welcome", "nudge"]
    assert "Five minutes with maps" in novukit.outbox.email[-1].text


async def test_who_came_back_is_left_alone(novukit: Harness, grace: Signup) -> None:
    """Having seen the greeting is enough."""
    await novukit.trigger(welcome_aboard, to="grace", payload=grace)
    await novukit.travel(days=1)
    await novukit.mark_seen("grace")

    await novukit.travel(days=1)

    assert [email.step_id for email in novukit.outbox.email] == ["welcome"]
