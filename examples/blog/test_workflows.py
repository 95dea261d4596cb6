"""What an author hears about comments, told in virtual time."""

from examples.blog.workflows import Comment, comment_on_post
from novukit.testing import Harness


def comment(text: str, *, commenter: str = "Bob", post: str = "42") -> Comment:
    return Comment(post_id=post, post_title="Small bells", commenter=commenter, text=text)


async def test_a_comment_is_in_the_inbox_at_once(novukit: Harness) -> None:
    """The author need not wait for the digest."""
    await novukit.subscriber("ada", email="ada@example.com")

    await novukit.trigger(comment_on_post, to="ada", payload=comment("Lovely."))

    assert [message.subject for message in await novukit.inbox("ada")] == ["Bob commented on Small bells"]
    assert novukit.outbox.email == []


async def test_the_comments_of_an_hour_come_in_one_email(novukit: Harness) -> None:
    """However many comments, one e-mail, with all of them in order."""
    await novukit.subscriber("ada", email="ada@example.com")
    await novukit.trigger(comment_on_post, to="ada", payload=comment("First!"))
    await novukit.travel(minutes=20)
    await novukit.trigger(comment_on_post, to="ada", payload=comment("Second.", commenter="Eve"))

    await novukit.travel(hours=1)

    [email] = novukit.outbox.email
    assert email.to == "ada@example.com"
    assert email.subject == "2 new on Small bells"
    assert email.text.index("First!") < email.text.index("Second.")


async def test_each_post_has_its_own_digest(novukit: Harness) -> None:
    """Comments on two posts are two e-mails."""
    await novukit.subscriber("ada", email="ada@example.com")
    await novukit.trigger(comment_on_post, to="ada", payload=comment("Here.", post="1"))
    await novukit.trigger(comment_on_post, to="ada", payload=comment("There.", post="2"))

    await novukit.travel(hours=1)

    assert len(novukit.outbox.email) == 2


async def test_who_has_seen_the_comment_gets_no_email(novukit: Harness) -> None:
    """An e-mail is for those who were not looking."""
    await novukit.subscriber("ada", email="ada@example.com")
    await novukit.trigger(comment_on_post, to="ada", payload=comment("Lovely."))
    await novukit.mark_seen("ada")

    await novukit.travel(hours=1)

    assert novukit.outbox.email == []
    assert "seen" in await novukit.explain()
