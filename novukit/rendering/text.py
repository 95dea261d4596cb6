"""The text alternative of an HTML e-mail: what a reader without HTML should see, links and tables included.

The HTML is what css-inline has parsed and written again: every element is closed, every attribute in quotes, and a «<»
begins a tag and nothing else (WHATWG HTML, §13.3). So one pass over it is exact; another parser's tree would take
several times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from .limits import LimitError

DEEPEST = 500
"""How many elements may be open within each other."""

# A space that layout means, until the end: other runs of white space are one space.
_KEPT = "\x1c"

# A tag, and the text up to the next one.
_TOKEN = re.compile(
    r"(?:<(?:"
    # Nobody sees these, and in some of them a «<» is not a tag.
    r"(head|title|style|script|noscript|iframe|noembed|noframes)(?=[\s>])[^<]*+(?:<(?!/\1)[^<]*+)*+</\1>"
    r"|!--.*?-->|[!?][^>]*>"
    r"""|(/?)([a-zA-Z][^\s/>]*)([^>"']*+(?:(?:"[^"]*"|'[^']*')[^>"']*+)*+)>"""
    r"))?([^<]*+(?:<(?![a-zA-Z/!?])[^<]*+)*+)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+)))?""")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u00ad\u034f\u200b-\u200d\u2060\ufeff]")
_WHITE = re.compile(r"[ \t\r\n\f]+")
_SPACES = re.compile(r"  +")
_EMPTY_LINES = re.compile(r"\n\n\n+")
_HIDES = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|mso-hide\s*:\s*all)", re.IGNORECASE)
_TO_THE_RIGHT = re.compile(r"text-align\s*:\s*(?:right|end)", re.IGNORECASE)
_BLOCKS = frozenset({
    "address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "main", "nav", "p", "section", "summary", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr",
})  # fmt: skip
_EMPTY = frozenset({
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
    "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_LISTS = frozenset({"ul", "ol"})


def text_from_html(html: str) -> str:
    """The words of an HTML document, as css-inline writes it, in plain text.

    Links keep their address (``text <address>``), images are their ``alt``, lists have bullets, the columns of data
    tables stand under each other. Tables with ``role="presentation"`` (or with a table inside) are layout and vanish,
    and so does what is hidden: a preheader, for one.

    Raises LimitError for more than 500 elements within each other.
    """
    return _Reader().read(html)


class _Table:
    """A table that is open: its data, if it holds data."""

    def __init__(self) -> None:
        self.caption = ""
        self.rows: list[list[tuple[str, bool]]] = []
        """The text of each cell, and whether it is set to the right."""
        self.is_layout = False


class _Whole:
    """An open element of which something is made when it ends, by ``form``, from all the words in it.

    ``parent`` is the tag of the element around it, and ``around`` the next such element further out. ``table`` is the
    innermost one, if it may hold data; ``number`` that of a list's next item.
    """

    __slots__ = ("around", "form", "number", "parent", "parts", "preformatted", "table", "tag", "written")

    def __init__(self, tag: str, written: str, parent: str, around: _Whole | None, form: _Form) -> None:
        self.tag, self.written, self.parent, self.around, self.form = tag, written, parent, around, form
        self.parts: list[str] = []
        self.table = around.table if around and form is not _nothing else None
        self.preformatted = tag == "pre" or (around is not None and around.preformatted)
        self.number = 1
        if tag == "table":
            if self.table is not None:
                self.table.is_layout = True
            self.table = None if self.attribute("role") in ("presentation", "none") else _Table()
        elif tag == "ol" and (start := self.attribute("start")).isdecimal() and len(start) < 7:
            self.number = int(start)

    def attribute(self, name: str) -> str:
        return _attributes(self.written).get(name, "")


_Form = Callable[[_Whole, str], str]
"""From an element and the words in it to what stands in its place. Line breaks in it are meant: two end a paragraph."""


class _Reader:
    """Where the reading of a document stands."""

    def __init__(self) -> None:
        self._whole = _Whole("", "", "", None, _as_it_is)
        self._open: list[tuple[str, _Whole | None]] = [("", self._whole)]

    def read(self, html: str) -> str:
        for _, end, tag, written, text in _TOKEN.findall(html):
            if end:
                self._end(tag)
            elif tag in _EMPTY:
                self._put(_empty(tag, written, self._whole))
            elif tag:
                self._begin(tag, written)
            if text:
                # Most texts can be printed as they are; only the others are worth three passes.
                easy = text.isprintable() and "&" not in text
                self._whole.parts.append(text if easy else _words(text, self._whole))
        while len(self._open) > 1:
            self._end(self._open[-1][0])
        text = _settled("".join(self._whole.parts)).replace(_KEPT, " ")
        return "\n".join(line.rstrip() for line in text.splitlines()) + "\n" if text.strip() else ""

    def _begin(self, tag: str, written: str) -> None:
        if len(self._open) > DEEPEST:
            raise LimitError("The HTML is nested too deeply to be written as text")
        parent, around, form = self._open[-1][0], self._whole, None
        if tag == "template" or (written and _is_hidden(written)):
            form = _nothing
        elif not around.preformatted:
            form = _FORMS.get(tag)
            if around.table is not None:
                form = form or _IN_TABLES.get(tag)
                if tag == "tr":
                    around.table.rows.append([])
            if parent in _LISTS:
                form = _item if tag == "li" else form or _as_it_is
        if form is not None:
            self._whole = _Whole(tag, written, parent, around, form)
            self._open.append((tag, self._whole))
            return
        self._open.append((tag, None))
        if tag in _BLOCKS and not around.preformatted:
            around.parts.append("\n\n")

    def _end(self, tag: str) -> None:
        if self._open[-1][0] != tag:  # which css-inline does not write: close what is open within, if that is open
            if all(tag != opened for opened, _ in self._open):
                return
            while self._open[-1][0] != tag:
                self._end(self._open[-1][0])
        _, whole = self._open.pop()
        if whole is not None and whole.around is not None:
            self._whole = whole.around
            self._put(whole.form(whole, "".join(whole.parts)), is_item=tag == "li")
        elif tag in _BLOCKS and not self._whole.preformatted:
            self._whole.parts.append("\n\n")

    def _put(self, words: str, *, is_item: bool = False) -> None:
        """Put words where one is. Directly in a list, all that is not an item is an item without a bullet."""
        in_list = self._open[-1][0] in _LISTS and not is_item
        self._whole.parts.append(_settled(words) if in_list else words)


def _words(text: str, whole: _Whole) -> str:
    """A text that holds more than what can be printed: entities, control characters, white space."""
    if not (whole.preformatted or text.strip("\n ")):
        return " "
    text = _CONTROL.sub("", unescape(text))
    return text if whole.preformatted else _WHITE.sub(" ", text).replace("\xa0", " ")


def _settled(text: str) -> str:
    """No blanks around line breaks, never more than one empty line, nothing at the ends."""
    if "\n" not in text and "  " not in text:  # as are most items
        return text.strip(" ")
    text = _SPACES.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n")
    return _EMPTY_LINES.sub("\n\n", text).strip(" \n")


def _line(text: str) -> str:
    return " ".join(text.split())


def _attributes(written: str) -> dict[str, str]:
    return {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(written)}


def _is_hidden(written: str) -> bool:
    if not ("hidden" in (lower := written.lower()) or "display" in lower or "mso-hide" in lower):
        return False
    attributes = _attributes(written)
    return "hidden" in attributes or _HIDES.search(attributes.get("style", "")) is not None


def _empty(tag: str, written: str, around: _Whole) -> str:
    """What stands for an element that cannot hold anything."""
    if written and _is_hidden(written):
        return ""
    match tag:
        case "br":
            return "\n"
        case "hr":
            return "" if around.preformatted else f"\n\n{'-' * 40}\n\n"
        case "img":
            return _line(_attributes(written).get("alt", ""))
        case _:
            return ""


def _nothing(_: _Whole, __: str) -> str:
    return ""


def _as_it_is(_: _Whole, inside: str) -> str:
    return inside


def _link(whole: _Whole, inside: str) -> str:
    address = whole.attribute("href").strip()
    words, bare = inside.strip(), address.removeprefix("mailto:").removeprefix("tel:")
    if not words or not address or address.startswith("#") or words in (address, bare):
        return inside
    before, after = inside[: len(inside) - len(inside.lstrip())], inside[len(inside.rstrip()) :]
    return f"{before}{words} <{bare}>{after}"


def _heading(whole: _Whole, inside: str) -> str:
    words = _line(inside)
    under = f"\n{'=' * len(words)}" if whole.tag == "h1" and words else ""
    return f"\n\n{words}{under}\n\n"


def _list(whole: _Whole, _: str) -> str:
    around = "\n" if whole.parent == "li" else "\n\n"
    return around + "\n".join(part for part in whole.parts if part.strip(" \n")) + around


def _item(whole: _Whole, inside: str) -> str:
    bullet, items = "- ", whole.around
    if items is not None and items.tag == "ol":
        bullet, items.number = f"{items.number}. ", items.number + 1
    return _indented(_settled(inside), bullet, _KEPT * len(bullet))


def _indented(text: str, first: str, rest: str) -> str:
    return first + text.replace("\n", f"\n{rest}")


def _quote(_: _Whole, inside: str) -> str:
    return f"\n\n{_indented(_settled(inside), '> ', '> ')}\n\n"


def _preformatted(_: _Whole, inside: str) -> str:
    text = inside.expandtabs(4).strip("\r\n")
    return f"\n\n{text.replace(chr(13), '').replace(' ', _KEPT)}\n\n"


def _table(whole: _Whole, inside: str) -> str:
    table = whole.table
    if table is None or table.is_layout:
        return f"\n\n{inside}\n\n"
    rows = table.rows
    widths = [max(len(row[n][0]) for row in rows if n < len(row)) for n in range(max(map(len, rows), default=0))]
    lines = (
        "  ".join(
            text.rjust(width) if right else text.ljust(width) for (text, right), width in zip(row, widths, strict=False)
        )
        for row in rows
    )
    return f"\n\n{table.caption}" + "\n".join(lines).replace(" ", _KEPT) + "\n\n"


def _caption(whole: _Whole, inside: str) -> str:
    if whole.table is not None:
        whole.table.caption += f"{_line(inside)}\n"
    return f"\n\n{inside}\n\n"


def _cell(whole: _Whole, inside: str) -> str:
    if whole.table is not None and whole.table.rows:
        right = whole.attribute("align") == "right" or _TO_THE_RIGHT.search(whole.attribute("style")) is not None
        whole.table.rows[-1].append((_line(inside), right))
    return f"\n\n{inside}\n\n"


_IN_TABLES: dict[str, _Form] = {"caption": _caption, "td": _cell, "th": _cell}
_FORMS: dict[str, _Form] = {
    "a": _link,
    "blockquote": _quote,
    "pre": _preformatted,
    "ul": _list,
    "ol": _list,
    "table": _table,
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
}
