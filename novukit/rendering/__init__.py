"""Templates to messages: sandboxed Jinja2, layouts, inlined CSS, and the text alternative of an e-mail.

A template sees JSON data only: whatever is given as a variable is written to JSON and read back first, so there is no
object to call and nothing to change. What it prints is escaped in ``*.html`` and left alone in every other file.

Its size is limited (:mod:`novukit.rendering.limits`), its running time is not: a template is its author's code, and one
that loops for ever holds the worker's thread for ever. Rendering in a process of its own will lift that.
"""

from .renderer import BASE_LAYOUT, Renderer, Wrap, as_json

__all__ = ["BASE_LAYOUT", "Renderer", "Wrap", "as_json"]
