"""The function of a custom step: that it is async, and says what it returns, is known before it runs."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, get_type_hints
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from ..errors import StepMisuse

R = TypeVar("R")

_known: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""What each function returns, and how many positional arguments are surely right.

Weak, so that a function made anew in every execution does not stay.
"""


def bind(
    step: str, function: Callable[..., Awaitable[R]], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Callable[[], Awaitable[R]], Any]:
    """The call that is to be made, and the type of its result.

    Raises :class:`StepMisuse` for what is not async, what takes other arguments, and what does not say its result.
    """
    try:
        inner = _innermost(function)
        returns, fits = _looked_at(inner)
    except _UnfitError as unfit:
        raise StepMisuse(f"Step {step!r}: {_name(function)} {unfit.why}.", hint=unfit.hint) from None
    if kwargs or inner is not function or len(args) not in fits:
        try:
            inspect.signature(function).bind(*args, **kwargs)
        except TypeError as err:
            raise StepMisuse(f"Step {step!r}: {_name(function)} cannot be called like this: {err}.") from None
    return partial(function, *args, **kwargs), returns


def _innermost(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    # Bound methods are equal only if their objects are; the function below them is what has the annotations.
    return getattr(function, "__func__", function)


class _UnfitError(Exception):
    def __init__(self, why: str, hint: str) -> None:
        self.why, self.hint = why, hint


def _looked_at(function: Any) -> tuple[Any, range]:
    try:
        return _known[function]
    except (KeyError, TypeError):
        found = _read(function), _fits(function)
    with suppress(TypeError):
        _known[function] = found
    return found


def _fits(function: Any) -> range:
    """How many arguments a plain function takes by position; none where that is not all there is to say."""
    plain = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = inspect.signature(function).parameters.values() if inspect.isfunction(function) else ()
    if not parameters or any(each.kind not in plain for each in parameters):
        return range(0)
    return range(sum(each.default is inspect.Parameter.empty for each in parameters), len(parameters) + 1)


def _read(function: Any) -> Any:
    if not callable(function):
        raise _UnfitError("is not a function", "Give an async function and its arguments: step.custom(id, f, x).")
    code: Any = function if inspect.isroutine(function) else function.__call__
    if getattr(function, "__name__", "") == "<lambda>":
        raise _UnfitError("does not say what it returns", "Give a function and its arguments: step.custom(id, f, x).")
    if not (inspect.iscoroutinefunction(code) or inspect.iscoroutinefunction(inspect.unwrap(code))):
        raise _UnfitError("is not async", "Write `async def`; within it, asyncio.to_thread runs what blocks.")
    try:
        hints = get_type_hints(code, include_extras=True)
    except NameError as err:
        raise _UnfitError(
            f"is annotated with {err.name!r}, which cannot be found",
            "Import it at run time, not under TYPE_CHECKING, and define it at the module's top.",
        ) from None
    if "return" not in hints:
        raise _UnfitError(
            "does not say what it returns", "Annotate it, as in `-> Receipt`: a replay gives the result in that type."
        )
    returns = hints["return"]
    try:
        TypeAdapter(returns)
    except PydanticUserError:
        raise _UnfitError(
            f"returns {getattr(returns, '__name__', returns)}, which cannot be kept as JSON",
            "Return a pydantic model, a dataclass, or plain values; keep only what you need of the rest.",
        ) from None
    return returns


def _name(function: Any) -> str:
    inner = _innermost(function)
    return f"{getattr(inner, '__name__', type(inner).__name__)}()"
