"""Where templates come from: the project's folders in order, and nothing outside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, TemplateNotFound

from ..errors import TemplateFailed, did_you_mean

MAX_SOURCE = 5_000_000
"""Bytes that one template file may have."""
BUILTIN = Path(__file__).parent / "templates"
"""The templates that novukit brings along, named ``novukit/…``."""

WRAP = "novukit/wrap.html"
"""What puts a fragment into a layout: of no use to authors."""

Source = tuple[str, str, Callable[[], bool]]


class FolderLoader(FileSystemLoader):
    """Files of the given folders: the first folder that has a name wins; none leads outside them."""

    def get_source(self, environment: Environment, template: str) -> Source:
        """The source of a template, if it is a small UTF-8 file inside the folders."""
        if template.startswith("/") or ".." in template.split("/") or "\\" in template or "\x00" in template:
            raise TemplateFailed(
                f"The template name {template[:200]!r} leads outside the template folders.",
                hint="Write the path below a template folder, with «/»: 'mail/receipt.html'.",
            )
        for folder in map(Path, self.searchpath):
            path = folder / template
            if not path.is_file():
                continue
            if not path.resolve().is_relative_to(folder.resolve()):
                raise TemplateFailed(f"The template {template!r} is a link to a file outside {str(folder)!r}.")
            if path.stat().st_size > MAX_SOURCE:
                raise TemplateFailed(f"{path} is larger than {MAX_SOURCE:,} bytes.")
            break
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as err:
            raise TemplateFailed(f"{template} is not UTF-8: byte {err.start} cannot be read.") from None
        except (PermissionError, IsADirectoryError) as err:
            raise TemplateFailed(f"{template} cannot be read: {err.strerror}.") from None


def loader_of(folders: Sequence[Path]) -> BaseLoader:
    """The loader of a project's folders. ``novukit/…`` is novukit's own and cannot be overridden."""
    return ChoiceLoader([PrefixLoader({"novukit": FileSystemLoader(BUILTIN)}), FolderLoader(folders)])


def not_found(
    missing: TemplateNotFound, folders: Sequence[Path], known: Iterable[str], where: str = ""
) -> TemplateFailed:
    """The error for a template that is not there."""
    name = str(missing.name or missing.message)
    among = ", ".join(map(str, folders)) or "the template folders (there is none: see `templates` in novukit.toml)"
    return TemplateFailed(
        f"{where}There is no template {name!r} in {among}.", hint=did_you_mean(name, set(known) - {WRAP})
    )
