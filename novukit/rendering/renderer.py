"""The renderer: a template's name and its variables in, HTML or text out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, Template, TemplateSyntaxError, meta
from jinja2 import nodes as jinja_nodes
from markupsafe import Markup
from pydantic_core import PydanticSerializationError, from_json, to_json

from ..errors import Issue, NotSerialisable, TemplateFailed
from .failure import explain, failed
from .limits import MAX_OUTPUT, LimitError
from .loading import WRAP
from .sandbox import environment_of, unknown_filter_hint
from .text import text_from_html

BASE_LAYOUT = "novukit/base.html"
"""The layout that novukit brings along."""

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_DOCUMENT = re.compile(r"<(?:!doctype|html|body)\b", re.IGNORECASE)
_HIDE = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all"


@dataclass(frozen=True, slots=True)
class Wrap:
    """A layout that is no file: the source of a template that prints ``content``, and what it is called.

    ``live`` are variables of its own, which are given as they are.
    """

    name: str
    source: str
    live: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def title(self) -> str:
        """What errors call it."""
        return f"layout {self.name}"


class Renderer:
    """Renders the templates of the given folders; the first folder that has a name wins.

    A template takes its layout in one of two ways. Either it says so itself, ``{% extends "novukit/base.html" %}``, and
    fills the layout's blocks; or it is a fragment, and ``layout=`` names the template whose block ``content`` it
    becomes. To do both is an error. ``development`` looks at each file again before every use; without it a template is
    read and compiled once. A renderer may be shared by threads.
    """

    def __init__(self, folders: Sequence[Path], *, development: bool = False) -> None:
        self.folders = tuple(folders)
        self._html = environment_of(self.folders, escape=True, development=development)
        self._text = environment_of(self.folders, escape=False, development=development)
        # Styles become attributes, which every mail program reads; media queries stay for those that read them too.
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._extends = _extends if development else lru_cache(maxsize=None)(_extends)
        self._fragment = _is_fragment if development else lru_cache(maxsize=None)(_is_fragment)
        self._compiled = lru_cache(maxsize=256)(self._compile)  # by their source: another one is another template

    def html(
        self,
        template: str,
        variables: Mapping[str, Any],
        *,
        layout: str | Wrap | None = None,
        subject: str = "",
        preheader: str = "",
        live: Mapping[str, Any] | None = None,
    ) -> str:
        """An e-mail's HTML: escaped, in its layout, its CSS inlined.

        ``layout`` names the template to wrap a fragment in, or is one itself; ``subject`` is a variable that layouts
        may print as title; ``preheader`` is the line that mail programs show after the subject, hidden in the message
        itself; ``live`` are variables that are given as they are, objects of ours: they yield to data of their name.

        Raises TemplateFailed, or NotSerialisable for a variable that is not JSON.
        """
        if not template.endswith(".html"):
            raise failed("", f"The template of an e-mail is a .html file, not {template!r}", code="template_kind")
        data = {"subject": subject, **(live or {}), **as_json(variables)}
        if layout is not None:
            self._refuse_two_layouts(template)
        if isinstance(layout, Wrap):
            html = self._wrapped(layout, data | {"content": Markup(self._render(self._html, template, data))})  # noqa: S704 - escaped there
        elif layout is not None:
            html = self._render(self._html, WRAP, data | {"_novukit_layout": layout, "_novukit_template": template})
        else:
            html = self._render(self._html, template, data)
        return self._finished(html, template, preheader)

    def preview(self, wrap: Wrap, content: str, variables: Mapping[str, Any]) -> str:
        """The HTML that a layout makes of ``content``, which is HTML, as :meth:`html` would. Raises TemplateFailed."""
        html = self._wrapped(wrap, {"subject": "", **as_json(variables), "content": Markup(content)})  # noqa: S704 - the caller's HTML
        return self._finished(html, wrap.title, "")

    def check_layout(self, wrap: Wrap) -> None:
        """Raises TemplateFailed for the source of a layout that cannot be read, or that prints no ``content``."""
        try:
            tree = self._html.parse(wrap.source, name=wrap.title)
            self._compiled(wrap.title, wrap.source)
            known = self._html.list_templates()
            for other in meta.find_referenced_templates(tree):
                if other and other not in known:
                    self._html.get_template(other)
        except Exception as err:
            raise explain(err, wrap.title, self._html, self.folders, ()) from None
        if "content" not in meta.find_undeclared_variables(tree):
            hint = "Write {{ content }} where the message shall stand."
            raise failed(f"{wrap.title}: ", "it does not print the message", code="no_content", hint=hint)

    def is_fragment(self, template: str) -> bool:
        """Whether a template is only a part of a page: it extends none, and is no whole document itself."""
        try:
            return self._fragment(self._html, template)
        except Exception:
            return False  # whoever renders it tells what is wrong with it

    def _wrapped(self, wrap: Wrap, data: dict[str, Any]) -> str:
        data = {**data, **wrap.live}
        try:
            return self._printed(self._compiled(wrap.title, wrap.source), data)
        except Exception as err:
            raise explain(err, wrap.title, self._html, self.folders, data) from None

    def _compile(self, title: str, source: str) -> Template:
        code = self._html.compile(source, name=title, filename=title)
        return self._html.template_class.from_code(self._html, code, self._html.make_globals(None))

    def _finished(self, html: str, template: str, preheader: str) -> str:
        try:
            html = self._inliner.inline(html if "<!doctype" in html[:200].lower() else f"<!doctype html>\n{html}")
        except css_inline.InlineError as err:
            raise failed(f"{template}: ", f"its CSS cannot be inlined: {err}", code="template_failed") from None
        if preheader:
            html = _BODY.sub(lambda body: f'{body[0]}<div style="{_HIDE}">{escape(preheader)}</div>', html, count=1)
        if len(html) > MAX_OUTPUT:
            raise failed(f"{template}: ", f"the HTML is longer than {MAX_OUTPUT:,} characters", code="template_limit")
        return html

    def text(self, template: str, variables: Mapping[str, Any], *, live: Mapping[str, Any] | None = None) -> str:
        """The text of an SMS, push or chat message: nothing is escaped, and blank space at both ends is dropped.

        ``live`` is as for :meth:`html`.

        Raises TemplateFailed, or NotSerialisable for a variable that is not JSON.
        """
        if template.endswith(".html"):
            raise failed("", f"{template!r} is HTML; this message is text (a .txt file)", code="template_kind")
        return self._render(self._text, template, {**(live or {}), **as_json(variables)}).strip()

    def text_from_html(self, html: str) -> str:
        """The text alternative of an e-mail's HTML, as :meth:`html` gives it.

        Raises TemplateFailed where it is nested too deeply.
        """
        try:
            return text_from_html(html)
        except LimitError as err:
            raise failed("", str(err), code="template_limit") from None

    def check(self) -> list[Issue]:
        """What is wrong with the templates as they stand, without rendering one: each issue names file and line."""
        found = [
            Issue("/templates", "template_folder_missing", f"There is no folder {folder}.")
            for folder in self.folders
            if not folder.is_dir()
        ]
        known = self._html.list_templates()
        for name in known:
            environment = self._html if name.endswith(".html") else self._text
            if not name.startswith("novukit/") and _is_text_file(name):
                found += _faults(environment, name, self.folders, known)
        return found

    def _render(self, environment: Environment, template: str, data: dict[str, Any]) -> str:
        try:
            return self._printed(environment.get_template(template), data)
        except Exception as err:
            name = str(data.get("_novukit_template", template))
            raise explain(err, name, environment, self.folders, data) from None

    def _printed(self, template: Template, data: dict[str, Any]) -> str:
        parts, size = list[str](), 0
        for part in template.generate(data):
            size += len(part)
            if size > MAX_OUTPUT:
                raise LimitError(f"it prints more than {MAX_OUTPUT:,} characters")
            parts.append(part)
        return "".join(parts)

    def _refuse_two_layouts(self, template: str) -> None:
        try:
            parent = self._extends(self._html, template)
        except Exception as err:
            raise explain(err, template, self._html, self.folders, ()) from None
        if parent:
            raise failed(
                f"{template}, line {parent}: ",
                "it extends a layout itself, and the step names one with layout=",
                code="two_layouts",
                hint="Keep one of them.",
            )


def as_json(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables as the JSON data that a template sees: models are objects, moments and Decimals are strings.

    Raises NotSerialisable.
    """
    if not variables:
        return {}
    try:
        data: dict[str, Any] = from_json(to_json(dict(variables), by_alias=False))
        return data
    except (PydanticSerializationError, ValueError, RecursionError) as err:
        for name, value in variables.items():
            try:
                to_json(value, by_alias=False)
            except (PydanticSerializationError, ValueError, RecursionError):
                raise NotSerialisable(
                    f"The variable {name!r} cannot be written as JSON: {err}.",
                    hint="Give templates text, numbers, lists, dicts and pydantic models.",
                ) from None
        raise NotSerialisable(f"The variables cannot be written as JSON: {err}.") from None


def _source(environment: Environment, template: str) -> str:
    if environment.loader is None:
        return ""
    return environment.loader.get_source(environment, template)[0]


def _extends(environment: Environment, template: str) -> int:
    """The line on which a template extends another one, or 0."""
    found = environment.parse(_source(environment, template), name=template).find(jinja_nodes.Extends)
    return found.lineno if found else 0


def _is_fragment(environment: Environment, template: str) -> bool:
    return not _extends(environment, template) and not _DOCUMENT.search(_source(environment, template))


def _is_text_file(name: str) -> bool:
    return name.endswith((".html", ".txt", ".md", ".json", ".jinja", ".j2"))


def _faults(environment: Environment, name: str, folders: tuple[Path, ...], known: Sequence[str]) -> list[Issue]:
    """The issues of one template: it cannot be read or compiled, or names a template that is not there."""
    path = next((folder / name for folder in folders if (folder / name).is_file()), Path(name))
    try:
        source = _source(environment, name)
        tree = environment.parse(source, name=name)
        environment.compile(tree, name=name)
        wanted = {other for other in meta.find_referenced_templates(tree) if other and other not in known}
        for other in wanted:
            environment.get_template(other)
    except TemplateSyntaxError as err:
        message = f"{path}:{err.lineno}: {err.message}"
        return [Issue("/templates", "template_syntax", message, unknown_filter_hint(environment, err.message))]
    except (Exception, RecursionError) as err:
        problem: TemplateFailed = explain(err, name, environment, folders, ())
        return [Issue("/templates", "template_failed", f"{path}: {problem.message}", problem.hint)]
    return []
