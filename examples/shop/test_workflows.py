"""An order's way to the door, told in virtual time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from examples.shop.workflows import Item, Order, order_placed
from novukit.testing import Harness

MONDAY, FRIDAY = datetime(2030, 5, 6, 9, tzinfo=UTC), datetime(2030, 5, 10, 9, tzinfo=UTC)


@pytest.fixture
async def order(novukit: Harness) -> Order:
    """It is Monday; Ada has ordered something that arrives on Friday."""
    await novukit.travel(to=MONDAY)
    await novukit.subscriber("ada", email="ada@example.com", phone="+4915112345678", push_tokens=["ada-phone"])
    items = [Item(name="Tea & biscuits", quantity=2, price=Decimal("4.50")), Item(name="Pot", price=Decimal(1200))]
    return Order(number="A-17", items=items, delivery=FRIDAY)


def test_an_order_adds_up() -> None:
    """The total counts quantities, to the cent."""
    order = Order(number="1", items=[Item(name="Tea", quantity=3, price=Decimal("0.10"))], delivery=FRIDAY)

    assert Decimal("0.30") == order.total


async def test_the_receipt_comes_at_once(novukit: Harness, order: Order) -> None:
    """With what was bought, what it cost, and nothing that breaks the HTML."""
    await novukit.trigger(order_placed, to="ada", payload=order)

    [receipt] = novukit.outbox.email
    assert receipt.subject == "Your order A-17"
    assert "Tea &amp; biscuits" in receipt.html
    assert "Tea & biscuits" in receipt.text
    assert "€1,209.00" in receipt.text


async def test_the_phone_buzzes_the_day_before(novukit: Harness, order: Order) -> None:
    """And not a minute sooner."""
    await novukit.trigger(order_placed, to="ada", payload=order)
    await novukit.travel(to=FRIDAY - timedelta(days=1, minutes=1))
    assert novukit.outbox.push == []

    await novukit.travel(minutes=1)

    assert [push.subject for push in novukit.outbox.push] == ["Your parcel comes on Friday"]
    assert novukit.outbox.sms == []


async def test_a_refused_push_falls_back_to_sms(novukit: Harness, order: Order) -> None:
    """The news arrives, one way or the other."""
    novukit.fail_next("push", outcome="rejected")
    await novukit.trigger(order_placed, to="ada", payload=order)

    await novukit.travel(to=FRIDAY - timedelta(days=1))

    assert [sms.body for sms in novukit.outbox.sms] == ["Your parcel comes on Friday: order A-17."]


async def test_an_sms_says_that_it_is_the_day(novukit: Harness, order: Order) -> None:
    """The last word of the order."""
    await novukit.trigger(order_placed, to="ada", payload=order)

    await novukit.travel(to=FRIDAY)

    [sms] = novukit.outbox.sms
    assert sms.body == "Order A-17 is on its way and arrives today, 10 May. Corner Shop"
    assert sms.at == FRIDAY
