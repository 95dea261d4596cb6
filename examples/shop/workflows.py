"""Go with an order from the receipt to the door."""

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, Field

from novukit import Context, StepFailed, workflow


class Item(BaseModel):
    name: str
    quantity: int = Field(default=1, ge=1)
    price: Decimal = Field(ge=0)


class Order(BaseModel):
    number: str
    items: list[Item] = Field(min_length=1)
    delivery: AwareDatetime

    @property
    def total(self) -> Decimal:
        return sum((item.price * item.quantity for item in self.items), Decimal(0))

    @property
    def day_before(self) -> datetime:
        return self.delivery - timedelta(days=1)


@workflow("order-placed", name="Your order", tags=["orders"], critical=True)
async def order_placed(ctx: Context[Order]) -> None:
    step, order = ctx.step, ctx.payload

    await step.email(
        "receipt",
        subject=f"Your order {order.number}",
        preheader="Thank you. Here is your receipt, and when it will arrive.",
        template="receipt.html",
        variables={"order": order, "total": order.total},
    )

    await step.delay("until-the-day-before", until=order.day_before)

    coming = f"Your parcel comes on {order.delivery:%A}"
    try:
        await step.push("coming", subject=coming, body=f"Order {order.number}")
    except StepFailed:
        await step.sms("coming-by-sms", body=f"{coming}: order {order.number}.")

    await step.delay("until-delivery", until=order.delivery)

    await step.sms("today", template="today.txt", variables={"order": order})
