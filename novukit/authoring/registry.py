"""The workflows that an application has, found by importing the modules that it names."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import NovukitError, WorkflowInvalid, WorkflowNotFound, did_you_mean
from ..model import Manifest
from . import sources
from .routing import Router
from .workflow import Workflow


class Registry:
    """The workflows of an application, by id."""

    def __init__(self, workflows: Iterable[Workflow[Any]] = (), routers: Iterable[Router] = ()) -> None:
        self._by_id: dict[str, Workflow[Any]] = {}
        self.routers: dict[str, Router] = {}
        """The authors' routing functions, by channel."""
        for router in routers:
            first = self.routers.setdefault(router.channel, router)
            if first is not router:
                raise WorkflowInvalid(
                    f"Two functions route {router.channel!r}: {first.where} and {router.where}.",
                    hint="Make one of them.",
                )
        for one in workflows:
            other = self._by_id.setdefault(one.id, one)
            if other is not one:
                raise WorkflowInvalid(
                    f"Two workflows are called {one.id!r}: {other.where} and {one.where}.",
                    hint="Give one of them another id.",
                )

    @classmethod
    def load(cls, modules: Iterable[str], root: Path) -> Registry:
        """Import ``modules``, as seen from the folder ``root``, and take the workflows that they define or import.

        Their routing functions come along.

        Raises :class:`WorkflowInvalid` for a module that cannot be imported (naming it, the line, and what it raised),
        for a definition that breaks a rule, and for two workflows with one id. To load again, start a new process.
        """
        if (folder := str(root.resolve())) not in sys.path:
            sys.path.insert(0, folder)
        importlib.invalidate_caches()
        found = [_import(name, root) for name in modules]
        registry = cls(
            (one for module in found for one in _workflows(module)),
            (one for module in found for one in vars(module).values() if isinstance(one, Router)),
        )
        registry.manifest()
        return registry

    def get(self, id: str) -> Workflow[Any]:
        """The workflow called ``id``; raises :class:`WorkflowNotFound` with the closest name."""
        try:
            return self._by_id[id]
        except KeyError:
            raise WorkflowNotFound(
                f"There is no workflow {id[:100]!r}.",
                hint=did_you_mean(id, self._by_id) or "No workflow is registered: see `workflows` in novukit.toml.",
            ) from None

    def manifest(self) -> Manifest:
        """What all workflows declare."""
        return Manifest(workflows={one.id: one.spec() for one in self})

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all workflows."""
        return list(self._by_id)

    def __contains__(self, id: str) -> bool:
        return id in self._by_id

    def __iter__(self) -> Iterator[Workflow[Any]]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)


def _workflows(module: ModuleType) -> list[Workflow[Any]]:
    found: list[Any] = [value for value in vars(module).values() if isinstance(value, Workflow)]
    return found


def _import(name: str, root: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except NovukitError:
        raise
    except ModuleNotFoundError as err:
        if err.name is None or not (name == err.name or name.startswith(f"{err.name}.")):
            raise _broken(name, root, err) from err
        raise WorkflowInvalid(
            f"There is no module {name!r}: {err.name!r} was not found from {root}.",
            hint="`workflows` in novukit.toml lists modules by their dotted names, as in blog.workflows.",
        ) from None
    except SyntaxError as err:
        at = f"{sources.where(err.filename or name, err.lineno or 0)}:{err.offset or 0}"
        raise WorkflowInvalid(f"Module {name!r} is not valid Python: {at}: {err.msg}.") from err
    except (Exception, SystemExit) as err:
        raise _broken(name, root, err) from err


def _broken(name: str, root: Path, error: BaseException) -> WorkflowInvalid:
    """What a module raised while it was imported, with the last line of the author's own code."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    own = [f for f in frames if Path(f.filename).is_relative_to(root.resolve())]
    theirs = [f for f in frames if f.filename != __file__]
    last = (own or theirs or frames)[-1]
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    return WorkflowInvalid(
        f"Module {name!r} could not be imported: {sources.where(last.filename, last.lineno or 0)}: {said}",
        hint=f"Run it alone to see more: `python -m {name}`.",
    )
