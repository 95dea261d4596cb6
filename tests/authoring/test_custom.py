"""A custom step's function: checked before it runs, bound to its arguments, with the type of its result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import pytest
from pydantic import BaseModel

from novukit import Retry, Step
from novukit.errors import StepMisuse
from novukit.model import CustomInput

from .conftest import Notes

pytestmark = pytest.mark.anyio


class Receipt(BaseModel):
    id: str


@dataclass
class Shop:
    name: str

    async def charge(self, order: str) -> Receipt:
        return Receipt(id=f"{self.name}-{order}")


async def charge(order: str, *, times: int = 1) -> Receipt:
    return Receipt(id=order * times)


async def forget() -> None:
    pass


def blocking() -> int:
    return 1


async def silent(order: str):
    return order


async def handle() -> object:
    return object()


async def lost() -> Missing:  # type: ignore[name-defined]  # noqa: F821
    return None


async def opened() -> Exception:
    return ValueError()


def traced(function: Any) -> Any:
    @wraps(function)
    async def inner(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return inner


async def test_a_function_is_bound_and_its_result_typed(step: Step[Any], notes: Notes) -> None:
    """The call travels beside the inputs, with the type that the function says it returns."""
    receipt = await step.custom("charge", charge, "a", times=2, key="k", retry=Retry(attempts=2))

    assert Receipt(id="aa") == receipt
    assert ("k", Receipt, CustomInput(retry=Retry(attempts=2))) == (notes.last.key, notes.last.returns, notes.inputs)


@pytest.mark.parametrize(
    ("function", "args", "returns"),
    [
        (Shop("s").charge, ("a",), Receipt),
        (partial(charge, "a"), (), Receipt),
        (partial(partial(charge, "a"), times=3), (), Receipt),
        (traced(charge), ("a",), Receipt),
        (forget, (), type(None)),
        (handle, (), object),
    ],
)
async def test_methods_partials_and_decorated_functions_are_functions(
    function: Any, args: tuple[Any, ...], returns: Any, step: Step[Any], notes: Notes
) -> None:
    """The annotation is found below whatever is wrapped around it."""
    await step.custom("charge", function, *args)

    assert returns is notes.last.returns


@pytest.mark.parametrize(
    ("function", "args", "words"),
    [
        (blocking, (), ["blocking()", "not async"]),
        (lambda: charge("a"), (), ["<lambda>()", "step.custom(id, f, x)"]),
        (silent, ("a",), ["silent()", "Annotate it"]),
        (charge, (), ["charge()", "'order'"]),
        (charge, ("a", "b"), ["charge()", "too many"]),
        (lost, (), ["lost()", "'Missing'", "TYPE_CHECKING"]),
        (opened, (), ["opened()", "Exception", "JSON"]),
        (5, (), ["int()", "not a function"]),
    ],
)
async def test_what_cannot_be_kept_is_refused_before_it_runs(
    function: Any, args: tuple[Any, ...], words: list[str], step: Step[Any], notes: Notes
) -> None:
    """Nothing has happened yet when the mistake is told."""
    with pytest.raises(StepMisuse) as caught:
        await step.custom("charge", function, *args)

    assert [] == [word for word in ["'charge'", *words] if word not in str(caught.value)]
    assert [] == notes.calls
