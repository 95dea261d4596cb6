"""Workflows are tested in virtual time: `travel(days=2)` takes no time at all."""

from workflows import Welcome, welcome

from novukit.testing import Harness


async def test_a_welcome_comes_in_both_channels(novukit: Harness) -> None:
    """One message in the inbox, one by e-mail."""
    await novukit.subscriber("ada", email="ada@example.com")

    await novukit.trigger(welcome, to="ada", payload=Welcome(name="Ada"))

    [hello] = await novukit.inbox("ada")
    [email] = novukit.outbox.email
    assert hello.body == "Good to have you here, Ada."
    assert "Good to have you here, Ada." in email.text
