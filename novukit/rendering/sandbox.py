"""The Jinja2 environment: sandboxed, strict about what is undefined, limited in what it may make."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from jinja2 import Environment, StrictUndefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from ..errors import did_you_mean
from . import limits
from .filters import FILTERS
from .loading import loader_of

_ABSENT = object()


class UnknownVariableError(UndefinedError):
    """A template used a name, or a field of a value, that does not exist.

    ``known`` are the fields that there are, or ``None`` where the name itself is unknown.
    """

    def __init__(self, message: str, name: str, known: Sequence[str] | None) -> None:
        super().__init__(message)
        self.name, self.known = name, known


class Missing(StrictUndefined):
    """What stands for a missing variable: any use of it but ``default`` and ``is defined`` is an error."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_: Any, **__: Any) -> NoReturn:  # pyright: ignore[reportIncompatibleMethodOverride]
        owner: Any = self._undefined_obj
        if self._undefined_hint is not None or self._undefined_exception is SecurityError:
            raise self._undefined_exception(self._undefined_hint)
        name = str(self._undefined_name)
        if owner is missing:
            raise UnknownVariableError(f"there is no variable {name!r}", name, None)
        if isinstance(owner, dict):
            keys = [str(key) for key in cast("dict[Any, Any]", owner)]
            raise UnknownVariableError(f"there is no {name!r} here", name, keys)
        kinds = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
        kind = "nothing (null)" if owner is None else kinds.get(cast("type[Any]", type(owner)), type(owner).__name__)
        raise UnknownVariableError(f"{name!r} is asked of {kind}, which does not have it", name, [])

    __iter__ = __str__ = __len__ = _fail_with_undefined_error  # pyright: ignore[reportAssignmentType]
    __eq__ = __ne__ = __bool__ = __hash__ = _fail_with_undefined_error  # pyright: ignore[reportAssignmentType]
    __contains__ = _fail_with_undefined_error  # pyright: ignore[reportAssignmentType]
    __getattr__ = __getitem__ = __call__ = _fail_with_undefined_error  # pyright: ignore[reportAssignmentType]


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 that knows only JSON data: ``order.items`` is the key ``items``, never the method of a dict."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The key of that name, else what the sandbox allows of the attribute."""
        if isinstance(obj, dict) and (value := cast("dict[str, Any]", obj).get(attribute, _ABSENT)) is not _ABSENT:
            return value
        return super().getattr(obj, attribute)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Each rendering copies them, and Jinja's ChainMap is slow to copy; no template of ours has globals of its own.
        own: Any = self
        return super().make_globals(d) if d else own.globals

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        limits.operation(operator, left, right)
        return self.binop_table[operator](left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if (formatter := super().wrap_str_format(value)) is not None:
            limits.form(value.__self__)
        return formatter

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            limits.method(owner, obj.__name__, args, kwargs)
        return super().call(context, obj, *args, **kwargs)


def environment_of(folders: Sequence[Path], *, escape: bool, development: bool) -> Environment:
    """The environment for HTML (``escape``) or for text. Whatever is included is escaped as its includer is."""
    environment = Sandbox(
        loader=loader_of(folders),
        autoescape=escape,
        undefined=Missing,
        auto_reload=development,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    names: Any = environment  # Jinja leaves the types of these tables open
    names.filters = limits.guarded(names.filters | FILTERS)
    del names.filters["random"]  # the same variables give the same message
    del names.globals["lipsum"]
    return environment


def unknown_filter_hint(environment: Environment, message: str | None) -> str | None:
    """The hint for Jinja's «No filter named 'x'»."""
    names: Any = environment
    for words, known in (("No filter named ", names.filters), ("No test named ", names.tests)):
        if message and message.startswith(words):
            return did_you_mean(message.removeprefix(words).rstrip(".").strip("'"), known)
    return None
