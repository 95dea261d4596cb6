"""The text alternative: what remains of an e-mail when its HTML is taken away."""

from __future__ import annotations

from time import perf_counter

import pytest

from novukit.errors import TemplateFailed
from novukit.rendering import Renderer
from novukit.rendering.text import text_from_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://x.example/a">Look</a> there', "Look <https://x.example/a> there"),
        ('<a href="https://x.example"> https://x.example </a>', "https://x.example"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ('<a href="mailto:a@b.example">Write</a>', "Write <a@b.example>"),
        ('<a href="#top">Up</a>', "Up"),
        ('Go <a href="https://x.example"><b> on </b></a>now', "Go on <https://x.example> now"),
        ('<a href="https://x.example"><img src="l.png" alt="Logo"></a>', "Logo <https://x.example>"),
        ('<a href="https://x.example"><img src="pixel.png"></a>', ""),
        ('<img src="x.png" alt="A  cat">', "A cat"),
    ],
)
def test_links_keep_addresses_and_images_their_words(html: str, text: str) -> None:
    """An address is said once, and only where there are words for it."""
    assert text == text_from_html(html).rstrip("\n")


def test_paragraphs_and_breaks() -> None:
    """White space of the source means nothing; breaks do."""
    assert "One two\nthree\n\nFour\n" == text_from_html("<p>One\n  two<br>\n three</p>\n\n\n<div><p>Four</p></div>")


def test_headings() -> None:
    """The first level is underlined."""
    assert "Hello\n=====\n\nMore\n\nx\n" == text_from_html("<h1>Hello</h1><h2>More</h2><p>x</p>")


def test_lists() -> None:
    """Bullets, numbers, and what is inside them further in."""
    html = "<ul><li>a<ol start=3><li>b</li><li>c<br>d</li></ol></li><li><p>e</p><p>f</p></li></ul>g"

    assert "- a\n  3. b\n  4. c\n     d\n- e\n\n  f\n\ng\n" == text_from_html(html)


def test_data_tables_have_columns() -> None:
    """Right-aligned cells stay to the right."""
    html = (
        "<table><tr><th>Item</th><th style='text-align: right'>Price</th></tr>"
        "<tr><td>Pot</td><td style='text-align: right'>€1,200.00</td></tr></table>"
    )

    assert "Item      Price\nPot   €1,200.00\n" == text_from_html(html)


def test_layout_tables_vanish() -> None:
    """Their cells are paragraphs."""
    assert "A\n\nB\n" == text_from_html("<table role='presentation'><tr><td><p>A</p></td><td>B</td></tr></table>")


def test_what_is_hidden_stays_hidden() -> None:
    """Head, styles, scripts, comments, preheaders."""
    html = (
        "<head><title>T</title><style>p{}</style></head><body><!-- c --><script>s</script>"
        "<div style='display: none'>preheader</div><p hidden>h</p>&zwnj;&nbsp;&shy;x</body>"
    )

    assert "x\n" == text_from_html(html)


def test_quotes_and_code_keep_their_form() -> None:
    """A quote has its marks, code its spaces."""
    assert "> a\n>\n> b\n\n  x = 1\n    y\n" == text_from_html(
        "<blockquote><p>a</p><p>b</p></blockquote><pre>  x = 1\n    y\n</pre>"
    )


def test_entities_become_characters() -> None:
    """Nothing is escaped in text."""
    assert "a < b & c* _d_\n" == text_from_html("<p>a &lt; b &amp; c* _d_</p>")


@pytest.mark.parametrize("html", ["", "<p> </p>", "<style>x</style>", "<", "<<<>>", "</p>", "<table></table>"])
def test_odd_html_is_no_error(html: str) -> None:
    """There is always some text, or none."""
    assert text_from_html(html).strip() in ("", "<", "<<<>>")


def test_what_is_hidden_in_a_table_or_in_code_stays_hidden() -> None:
    """A cell, a row, a part of a listing."""
    table = (
        "<table><tr><td>a</td><td hidden>b</td><td>c</td></tr><tr style='display:none'><td>d</td></tr></table>"
        "<pre>e<span hidden>f</span><br>g</pre>"
    )

    assert "a  c\n\ne\ng\n" == text_from_html(table)


def test_what_stands_between_items_is_kept() -> None:
    """As a browser shows it: a line without a bullet."""
    assert "one\n- two\nthree\n" == text_from_html("<ul>one<li>two</li><p>three</p></ul>")


def test_tags_in_what_nobody_reads_are_no_tags() -> None:
    """Nor is a «>» in an attribute the end of one."""
    html = "<style>/* <p> */ p > b {}</style><!-- <p>x --><noscript><p>y</noscript><p title='a > b'>z</p>"

    assert "z\n" == text_from_html(html)


def test_spaces_without_end_are_soon_read() -> None:
    """Each of them is looked at once, not once for each that follows."""
    began = perf_counter()

    assert "a b\n" == text_from_html(f"a{'&nbsp;' * 100_000}b")
    assert perf_counter() - began < 5


def test_too_deep_is_an_error_with_words() -> None:
    """And not a crash."""
    with pytest.raises(TemplateFailed, match="nested too deeply"):
        Renderer([]).text_from_html("<div>" * 5000)
