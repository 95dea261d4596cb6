"""A plugin in its folder, as its author has it: which providers it gives out, and which kits try them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from importlib.util import module_from_spec, spec_from_file_location
from inspect import getmembers, isclass
from pathlib import Path
from types import ModuleType
from typing import cast

from ...errors import PluginInvalid
from ...providers import PluginHost
from ...providers.host import GROUP, explain
from .kit import Conformance, KitClass


@dataclass(frozen=True)
class Plugin:
    """What was found. ``faults`` are what is wrong with the plugin as a whole: each names it, and says what to do."""

    name: str
    kits: tuple[KitClass, ...]
    faults: tuple[str, ...] = ()


def read_plugin(place: Path) -> Plugin:
    """The plugin at ``place``: its folder, or one of its test files.

    Its modules are imported from the folder, so that it need not be installed; a folder ``src`` is looked into too. Of
    a folder, the entry points in ``pyproject.toml`` are loaded as novukit loads them, and each provider must have a
    kit. Raises PluginInvalid where nothing is to be tested, or a test file cannot be imported.
    """
    if not place.exists():
        raise PluginInvalid(f"There is no {place}.", hint="Name the folder of a plugin, or one of its test files.")
    folder = home(place)
    for path in (folder / "src", folder):
        if path.is_dir() and str(path) not in sys.path:
            sys.path.insert(0, str(path))
    files = [place] if place.is_file() else sorted({*folder.glob("test_*.py"), *folder.glob("tests/**/test_*.py")})
    found = tuple(kit for file in files for kit in kits_of(imported(file)))
    faults = () if place.is_file() else tuple(faults_of(folder, {kit.provider.id for kit in found}))
    if not found and not faults:
        raise PluginInvalid(
            f"Nothing in {place} is to be tested.",
            hint="Write tests/test_NAME.py with a subclass of EmailConformance (or of another channel's) that names "
            "`provider` and `vendor`. `novukit new provider` makes one.",
        )
    return Plugin(folder.name, found, faults)


def home(place: Path) -> Path:
    """The plugin's folder: of a test file the nearest one with a ``pyproject.toml``, else that which it is in."""
    place = place.resolve()
    if place.is_dir():
        return place
    return next((one for one in place.parents if (one / "pyproject.toml").is_file()), place.parent)


def imported(file: Path) -> ModuleType:
    """The test file as a module, known by its name as pytest knows it, beside the modules of its folder."""
    file = file.resolve()
    known = sys.modules.get(file.stem)
    if known is not None and known.__file__ == str(file):
        return known
    if str(file.parent) not in sys.path:
        sys.path.insert(1, str(file.parent))
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as err:
        del sys.modules[file.stem]
        hint = "Correct the file, and run this again."
        if isinstance(err, ModuleNotFoundError):
            hint = f"Install {err.name}, or correct its name."
        raise PluginInvalid(f"{file.name} cannot be imported: {explain(err)}", hint=hint) from err
    return module


def kits_of(module: ModuleType) -> Iterator[KitClass]:
    """The kits that are written in ``module`` and complete; those it only imports are another's."""
    for _, member in getmembers(module, isclass):
        if not issubclass(member, Conformance) or member.__module__ != module.__name__:
            continue
        if hasattr(member, "provider") and hasattr(member, "vendor"):
            yield member


def faults_of(folder: Path, tried: set[str]) -> Iterator[str]:
    """What would keep the plugin from being loaded when it is installed, and the providers that no kit tries."""
    project = folder / "pyproject.toml"
    if not project.is_file():
        yield f"{folder.name} has no pyproject.toml: novukit finds a plugin by its entry point. Write one."
        return
    try:
        described = tomllib.loads(project.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        yield f"pyproject.toml cannot be read: {err}."
        return
    points = cast("dict[str, str]", described.get("project", {}).get("entry-points", {}).get(GROUP, {}))
    if not points:
        yield f'pyproject.toml names no plugin: write [project.entry-points.{GROUP}] and in it name = "module".'
    for name, value in points.items():
        yield from faults_of_point(EntryPoint(name, value, GROUP), tried)


def faults_of_point(point: EntryPoint, tried: set[str]) -> Iterator[str]:
    """The same for one entry point."""
    try:
        loaded = point.load()
    except (Exception, SystemExit) as err:
        yield f"The entry point {point.name} = {point.value!r} cannot be loaded: {explain(err)}"
        return
    status = PluginHost([loaded], installed=False).statuses[-1]
    if status.error:
        yield f"The plugin {point.name} does not load: {status.error}"
    for provider_id in status.providers:
        if provider_id not in tried:
            yield f"No kit tries the provider {provider_id}: write a test class with `provider` and `vendor` for it."
