"""The catalogue of an environment in what goes out: layouts, translations and variables."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from novukit import Context, Subscriber, workflow
from novukit.model import Reason
from novukit.store import layouts, translations, variables
from novukit.testing import Harness


class Order(BaseModel):
    number: int


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    await ctx.step.email("first", subject="Hi", template="note.html")


@workflow("named")
async def named(ctx: Context[None]) -> None:
    await ctx.step.email("first", subject="Hi", template="note.html", layout="brand")


@workflow("whole")
async def whole(ctx: Context[None]) -> None:
    await ctx.step.email("first", subject="Hi", template="whole.html")


@workflow("order")
async def order(ctx: Context[Order]) -> None:
    await ctx.step.in_app("inbox", body=ctx.t("paid", total="12 €"))
    await ctx.step.email("mail", subject=ctx.t("subject"), template="order.html")
    await ctx.step.sms("sms", template="order.txt")


@workflow("shop")
async def shop(ctx: Context[None]) -> None:
    await ctx.step.in_app("inbox", body=f"{ctx.env['SHOP_URL']} {len(ctx.env['TOKEN'])}")
    await ctx.step.sms("sms", template="shop.txt")
    await ctx.step.sms("secret", template="secret.txt")


ADA = Subscriber(subscriber_id="ada", first_name="Ada", email="ada@example.com", phone="+4915112345678", locale="de-AT")
BOB = Subscriber(subscriber_id="bob", first_name="Bob", email="bob@example.com", phone="+4915112345679")


@pytest.fixture(autouse=True)
def _templates(tmp_path: Path) -> None:
    for name, source in {
        "note.html": "<p>Note for {{ subscriber.first_name }}</p>",
        "whole.html": "<!doctype html><html><body>Whole</body></html>",
        "brand": "{% block content %}{% endblock %}",
        "file.html": "<body>file{% block content %}{% endblock %}</body>",
        "order.html": '<p>{{ t("paid", total=payload.number) }}</p><p>{{ t.mail.footer }}</p><p>{{ t.lost.key }}</p>',
        "order.txt": "{{ t.paid }}",
        "shop.txt": "{{ env.SHOP_URL }}",
        "secret.txt": "{{ env.TOKEN }}",
    }.items():
        (tmp_path / name).write_text(source)


def _layout(mark: str) -> str:
    return (
        f"<body>{mark} for {{{{ subscriber.first_name }}}}: {{{{ content }}}}<style>p {{ color: red }}</style></body>"
    )


async def test_a_layout_of_the_environment_goes_around_an_email(novukit: Harness) -> None:
    """The message stands in it as HTML, its styles are inlined, and the text part has both."""
    await layouts.create(novukit.scope, "brand", "Brand", _layout("Brand"))
    await novukit.trigger(named, to=ADA)

    sent = novukit.outbox.email[0]
    assert 'Brand for Ada: <p style="color: red;">Note for Ada</p>' in sent.html
    assert ("Brand for Ada" in sent.text, "Note for Ada" in sent.text) == (True, True)


async def test_a_trigger_names_a_layout_of_the_environment(novukit: Harness) -> None:
    """For the step, for the channel, for all: the strongest first; a file of that name is used where there is none."""
    for name in ("all", "channel", "step"):
        await layouts.create(novukit.scope, name, name, _layout(name))
    told = {"layoutIdentifier": "all"}
    await novukit.trigger(mail, to=ADA, overrides=told)
    told |= {"channels": {"email": {"layoutId": "channel"}}}
    await novukit.trigger(mail, to=ADA, overrides=told)
    await novukit.trigger(mail, to=ADA, overrides={**told, "steps": {"first": {"layoutId": "step"}}})
    await novukit.trigger(mail, to=ADA, overrides={**told, "steps": {"first": {"layoutId": "file.html"}}})

    marks = [
        next(m for m in ("all for", "channel for", "step for", "file") if m in s.html) for s in novukit.outbox.email
    ]
    assert marks == ["all for", "channel for", "step for", "file"]


async def test_the_default_layout_goes_around_fragments_that_name_none(novukit: Harness) -> None:
    """Around no whole page; and only once somebody has made it the default."""
    await layouts.create(novukit.scope, "house", "House", _layout("House"))
    await novukit.trigger(mail, to=ADA)
    await layouts.update(novukit.scope, "house", is_default=True)
    await novukit.trigger(mail, to=ADA)
    await novukit.trigger(whole, to=ADA)

    assert ["House" in sent.html for sent in novukit.outbox.email] == [False, True, False]


async def test_a_changed_layout_is_used_at_once(novukit: Harness) -> None:
    """Whatever worker sends: the number of the catalogue tells it."""
    await layouts.create(novukit.scope, "brand", "Brand", _layout("Old"))
    await novukit.trigger(named, to=ADA)
    await layouts.update(novukit.scope, "brand", body=_layout("New"))
    await novukit.trigger(named, to=ADA)

    assert ["Old" in sent.html for sent in novukit.outbox.email] == [True, False]


async def test_a_layout_that_fails_says_which_and_where(novukit: Harness) -> None:
    """The step fails with the layout's name and line; after the repair it can be resumed."""
    await layouts.create(novukit.scope, "brand", "Brand", "<body>\n{{ nobody.there }}{{ content }}</body>")
    await novukit.trigger(named, to=ADA)

    (execution,) = await novukit.executions()
    assert f"{Reason.TEMPLATE_FAILED}: layout brand, line 2" in execution.detail
    await layouts.update(novukit.scope, "brand", body=_layout("Mended"))
    assert await novukit.resume() == 1
    assert "Mended" in novukit.outbox.email[0].html


async def _texts(novukit: Harness) -> None:
    german = {"paid": "Bezahlt: {total}", "subject": "Bestellung {{ payload.number }}"}
    english = {
        "paid": "Paid: {total}",
        "subject": "Order {payload.number}",
        "mail": {"footer": "<3 {subscriber.first_name}"},
    }
    both = [(("workflow", "order"), "de_DE", german), (("workflow", "order"), "en_US", english)]
    await translations.put(novukit.scope, both)  # pyright: ignore[reportArgumentType]


async def test_each_is_told_in_their_language(novukit: Harness) -> None:
    """In code and in templates, escaped in HTML; what a language lacks comes from the default one, then the key."""
    await _texts(novukit)
    await novukit.trigger(order, to=[ADA, BOB], payload=Order(number=7))

    assert [(await novukit.inbox(who))[0].body for who in ("ada", "bob")] == ["Bezahlt: 12 €", "Paid: 12 €"]
    mails = {sent.to: sent for sent in novukit.outbox.email}
    assert [mails[who.email or ""].subject for who in (ADA, BOB)] == ["Bestellung 7", "Order 7"]
    for words in ("Bezahlt: 7", "&lt;3 Ada", "lost.key"):
        assert words in mails["ada@example.com"].html
    assert {sent.body for sent in novukit.outbox.sms} == {"Bezahlt: {total}", "Paid: {total}"}


async def test_without_translations_the_key_is_said(novukit: Harness) -> None:
    """Nobody goes without a message for want of a text."""
    await novukit.trigger(order, to=BOB, payload=Order(number=7))
    assert (await novukit.inbox("bob"))[0].body == "paid"
    assert novukit.outbox.email[0].subject == "subject"


async def test_a_text_is_never_run(novukit: Harness) -> None:
    """Neither a translation nor a value in it is a template."""
    content = {"paid": "{{ 7 * 7 }} {total} {payload.__class__}", "subject": "x"}
    await translations.put(novukit.scope, [(("workflow", "order"), "en_US", content)])
    await novukit.trigger(order, to=BOB, payload=Order(number=7))
    assert (await novukit.inbox("bob"))[0].body == "{{ 7 * 7 }} 12 € {payload.__class__}"


async def test_a_layout_has_texts_of_its_own(novukit: Harness) -> None:
    """In the language of whom the e-mail is for."""
    await layouts.create(novukit.scope, "brand", "Brand", "<body>{{ content }}{{ t.bye }}</body>")
    await translations.put(novukit.scope, [(("layout", "brand"), "de", {"bye": "Bis bald"})])
    await novukit.trigger(named, to=ADA)
    assert "Bis bald" in novukit.outbox.email[0].html


async def test_variables_are_there_for_code_and_templates(novukit: Harness) -> None:
    """All of them in code; to templates a secret is not shown, for what they print is kept with the message."""
    ring = novukit.app.runtime.secrets
    await variables.create(novukit.scope, ring, "SHOP_URL", "https://shop.example.com")
    await variables.create(novukit.scope, ring, "TOKEN", "12345", is_secret=True)
    await novukit.trigger(shop, to=ADA)

    assert (await novukit.inbox("ada"))[0].body == "https://shop.example.com 5"
    assert [sent.body for sent in novukit.outbox.sms] == ["https://shop.example.com"]
    (execution,) = await novukit.executions()
    assert ("TOKEN" in execution.detail, "12345" in execution.detail) == (True, False)


async def test_a_variable_that_is_missing_is_named(novukit: Harness) -> None:
    """With the closest one there is."""
    await variables.create(novukit.scope, novukit.app.runtime.secrets, "SHOP_URI", "x")
    await novukit.trigger(shop, to=ADA)
    (execution,) = await novukit.executions()
    assert "This environment has no variable 'SHOP_URL'. Did you mean 'SHOP_URI'?" in execution.detail


async def test_an_empty_catalogue_costs_no_query(novukit: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look a claim, which there was before; and one that has not changed is not read again."""
    await layouts.create(novukit.scope, "brand", "Brand", _layout("Brand"))
    await novukit.trigger(named, to=ADA)
    asked: list[str] = []
    database, fetch = novukit.app.database, novukit.app.database.fetch

    async def listening(sql: str, *args: object) -> object:
        asked.append(sql)
        return await fetch(sql, *args)

    monkeypatch.setattr(database, "fetch", listening)
    await novukit.trigger(named, to=ADA)
    assert len(novukit.outbox.email) == 2
    assert [sql for sql in asked if "novukit_layout" in sql or "novukit_translation" in sql] == []
