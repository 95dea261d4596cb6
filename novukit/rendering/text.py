"""The text alternative of an HTML e-mail: what a reader without HTML should see, links and tables included."""

from __future__ import annotations

import re
from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser, LexborNode

# A space that layout means, until the end: other runs of white space are one space.
_KEPT = "\x1c"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u00ad\u034f\u200b-\u200d\u2060\ufeff]")
_WHITE = re.compile(r"[ \t\r\n\f]+")
_BREAKS = re.compile(r"[ \n]*\n[ \n]*")
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|mso-hide\s*:\s*all)", re.IGNORECASE)
_TO_THE_RIGHT = re.compile(r"text-align\s*:\s*(?:right|end)", re.IGNORECASE)
_UNSEEN = frozenset({"head", "title", "style", "script", "template", "noscript", "-comment"})
_BLOCKS = frozenset({
    "address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "main", "nav", "p", "section", "summary", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr",
})  # fmt: skip


def text_from_html(html: str) -> str:
    """The words of an HTML document as plain text.

    Links keep their address (``text <address>``), images are their ``alt``, lists have bullets, the columns of data
    tables stand under each other. Tables with ``role="presentation"`` (or with a table inside) are layout and vanish,
    and so does what is hidden: a preheader, for one. Nested too deeply, it raises RecursionError.
    """
    root = LexborHTMLParser(html).root
    text = _settled(_words(root)).replace(_KEPT, " ") if root is not None else ""
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n" if text.strip() else ""


def _words(node: LexborNode) -> str:
    """A node as text whose only line breaks are meant: one ends a line, two or more end a paragraph."""
    tag = node.tag or ""
    if tag == "-text":
        return _WHITE.sub(" ", _CONTROL.sub("", node.text(deep=False))).replace("\xa0", " ")
    if tag in _UNSEEN or _is_hidden(node):
        return ""
    if special := _SPECIAL.get(tag):
        return special(node)
    return f"\n\n{_inside(node)}\n\n" if tag in _BLOCKS else _inside(node)


def _inside(node: LexborNode) -> str:
    return "".join(map(_words, node.iter(include_text=True)))


def _settled(text: str) -> str:
    """No blanks around line breaks, never more than one empty line, nothing at the ends."""
    text = _BREAKS.sub(lambda run: "\n\n" if run[0].count("\n") > 1 else "\n", text)
    return re.sub(r"  +", " ", text).strip(" \n")


def _line(text: str) -> str:
    return " ".join(text.split())


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or _HIDDEN.search(attributes.get("style") or "") is not None


def _link(node: LexborNode) -> str:
    text, address = _inside(node), (node.attributes.get("href") or "").strip()
    words, bare = text.strip(), address.removeprefix("mailto:").removeprefix("tel:")
    if not words or not address or address.startswith("#") or words in (address, bare):
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{words} <{bare}>{after}"


def _break(_: LexborNode) -> str:
    return "\n"


def _rule(_: LexborNode) -> str:
    return f"\n\n{'-' * 40}\n\n"


def _image(node: LexborNode) -> str:
    return _line(node.attributes.get("alt") or "")


def _heading(node: LexborNode) -> str:
    words = _line(_inside(node))
    under = f"\n{'=' * len(words)}" if node.tag == "h1" and words else ""
    return f"\n\n{words}{under}\n\n"


def _list(node: LexborNode) -> str:
    start = node.attributes.get("start") or ""
    number, items = int(start) if start.isdecimal() and len(start) < 7 else 1, list[str]()
    for child in node.iter():
        if child.tag != "li":
            items.append(_settled(_words(child)))
        elif not _is_hidden(child):
            bullet = f"{number}. " if node.tag == "ol" else "- "
            items.append(_indented(_settled(_inside(child)), bullet, _KEPT * len(bullet)))
            number += 1
    nested = node.parent is not None and node.parent.tag == "li"
    around = "\n" if nested else "\n\n"
    return around + "\n".join(filter(None, items)) + around


def _indented(text: str, first: str, rest: str) -> str:
    return first + text.replace("\n", f"\n{rest}")


def _quote(node: LexborNode) -> str:
    return f"\n\n{_indented(_settled(_inside(node)), '> ', '> ')}\n\n"


def _preformatted(node: LexborNode) -> str:
    text = _CONTROL.sub("", node.text()).expandtabs(4).strip("\r\n")
    return f"\n\n{text.replace(chr(13), '').replace(' ', _KEPT)}\n\n"


def _table(node: LexborNode) -> str:
    if node.attributes.get("role") in ("presentation", "none") or len(node.css("table")) > 1:
        return f"\n\n{_inside(node)}\n\n"
    caption = "".join(f"{_line(_inside(part))}\n" for part in node.css("caption"))
    rows = [[_cell(cell) for cell in row.iter() if cell.tag in ("td", "th")] for row in node.css("tr")]
    widths = [max(len(row[n][0]) for row in rows if n < len(row)) for n in range(max(map(len, rows), default=0))]
    lines = (
        "  ".join(
            text.rjust(width) if right else text.ljust(width) for (text, right), width in zip(row, widths, strict=False)
        )
        for row in rows
    )
    return f"\n\n{caption}" + "\n".join(lines).replace(" ", _KEPT) + "\n\n"


def _cell(node: LexborNode) -> tuple[str, bool]:
    """The text of a cell, and whether it is set to the right."""
    attributes = node.attributes
    right = attributes.get("align") == "right" or _TO_THE_RIGHT.search(attributes.get("style") or "") is not None
    return _line(_inside(node)), right


_SPECIAL: dict[str, Callable[[LexborNode], str]] = {
    "a": _link,
    "br": _break,
    "hr": _rule,
    "img": _image,
    "blockquote": _quote,
    "pre": _preformatted,
    "table": _table,
    "ul": _list,
    "ol": _list,
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
}
