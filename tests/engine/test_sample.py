"""Samples: data that a workflow takes, made up from its payload's schema."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from novukit.engine.sample import sample


class Line(BaseModel):
    name: str
    price: Decimal
    parts: list[Line] = []


class Order(BaseModel):
    number: int = Field(ge=5)
    size: Literal["s", "m"]
    at: datetime
    day: date
    id: UUID
    code: str = Field(min_length=6, max_length=6)
    lines: list[Line] = Field(min_length=2)
    note: str | None
    first: Line
    paid: bool = False


def test_a_sample_fits_its_schema() -> None:
    """References, unions, formats and limits; defaults are kept."""
    made = Order.model_validate(sample(Order.model_json_schema()))
    assert (made.number, made.size, made.code, made.paid) == (5, "s", "codexx", False)
    assert (len(made.lines), made.lines[0].name, made.note) == (2, "name", "note")


def test_a_schema_that_contains_itself_ends() -> None:
    """Cut off where it is too deep."""

    class Node(BaseModel):
        label: str
        inner: Node | None

    made = sample(Node.model_json_schema())
    assert made["label"] == "label"
