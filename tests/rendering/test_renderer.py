"""Rendering: escaping, layouts, preheaders, what a template may see."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from markupsafe import Markup
from pydantic import BaseModel
from selectolax.lexbor import LexborHTMLParser

from novukit.errors import NotSerialisable, TemplateFailed
from novukit.rendering import BASE_LAYOUT, Renderer
from novukit.rendering.limits import MAX_OUTPUT

Write = Callable[..., Renderer]


class Item(BaseModel):
    name: str
    price: Decimal = Decimal("4.50")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into a template folder and give its renderer: ``write(**{"a.txt": "…"})``."""

    def inner(development: bool = False, **files: str) -> Renderer:
        for name, source in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, "utf-8")
        return Renderer([tmp_path], development=development)

    return inner


def test_html_is_escaped(write: Write) -> None:
    """A payload cannot bring markup into an e-mail."""
    html = write(**{"a.html": "<p title='{{ x }}'>{{ x }}</p>"}).html("a.html", {"x": "<script>'\"&"})

    assert [] == LexborHTMLParser(html).css("script")
    assert "&lt;script&gt;'\"&amp;</p>" in html


def test_text_is_left_alone(write: Write) -> None:
    """An SMS shows what was written, and no blank ends."""
    assert "<b> & 'c'" == write(**{"a.txt": "\n{{ x }}\n\n"}).text("a.txt", {"x": "<b> & 'c'"})


def test_what_html_includes_is_escaped_too(write: Write) -> None:
    """The message decides what is escaped, not the name of the file that happens to be included."""
    renderer = write(**{"a.html": "{% include 'b.txt' %}", "b.txt": "{{ x }}"})

    assert "&lt;i&gt;" in renderer.html("a.html", {"x": "<i>"})
    assert "<i>" == renderer.text("b.txt", {"x": "<i>"})


def test_markup_is_only_text(write: Write) -> None:
    """What Python calls safe arrives as JSON, that is, as text."""
    assert "&lt;i&gt;" in write(**{"a.html": "{{ x }}"}).html("a.html", {"x": Markup("<i>")})


def test_models_dates_and_decimals_arrive_as_json(write: Write) -> None:
    """Nothing that has methods of ours is in a template's reach."""
    renderer = write(**{"a.txt": "{{ item.name }} {{ item.price }} {{ at }} {{ item is mapping }}"})

    text = renderer.text("a.txt", {"item": Item(name="Pot"), "at": datetime(2026, 1, 2, tzinfo=UTC)})

    assert "Pot 4.50 2026-01-02T00:00:00Z True" == text


@pytest.mark.parametrize("value", [object(), {"deep": [object()]}, "\ud800", b"\xff"])
def test_what_is_not_json_is_named(write: Write, value: object) -> None:
    """The error says which variable."""
    with pytest.raises(NotSerialisable, match="variable 'bad' cannot be written as JSON"):
        write(**{"a.txt": ""}).text("a.txt", {"good": 1, "bad": value})


def test_a_key_wins_over_a_method(write: Write) -> None:
    """``order.items`` is the order's items."""
    assert "Pot" == write(**{"a.txt": "{% for i in order.items %}{{ i }}{% endfor %}"}).text(
        "a.txt", {"order": {"items": ["Pot"]}}
    )


def test_the_methods_of_a_dict_remain(write: Write) -> None:
    """Where no key has the name."""
    assert "a=1" == write(**{"a.txt": "{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}"}).text(
        "a.txt", {"d": {"a": 1}}
    )


def test_missing_may_have_a_default(write: Write) -> None:
    """``default`` and ``is defined`` are how one asks for what is optional."""
    source = "{{ a | default('-') }}{{ d.b | default('-') }}{{ a is defined }}"

    assert "--False" == write(**{"a.txt": source}).text("a.txt", {"d": {}})


def test_styles_become_attributes_and_media_queries_stay(write: Write) -> None:
    """Mail programs that drop <style> keep the looks; those that read it keep the dark mode."""
    style = "<style>p { color: red } @media (prefers-color-scheme: dark) { p { color: pink !important } }</style>"
    html = write(**{"a.html": f"{style}<p>x</p>"}).html("a.html", {})

    assert '<p style="color: red;">x</p>' in html
    assert "prefers-color-scheme: dark" in html


def test_no_stylesheet_is_fetched(write: Write, tmp_path: Path) -> None:
    """Neither from the network nor from the disk."""
    (tmp_path / "x.css").write_text("p { color: red }")
    links = (
        f'<link rel="stylesheet" href="{(tmp_path / "x.css").as_uri()}"><link rel="stylesheet" href="http://[::1]:9/">'
    )

    assert "<p>x</p>" in write(**{"a.html": f"{links}<p>x</p>"}).html("a.html", {})


def test_the_output_is_a_whole_document(write: Write) -> None:
    """Even of a fragment, with a doctype, for standards mode."""
    html = write(**{"a.html": "<p>x</p>"}).html("a.html", {})

    assert html.lower().startswith("<!doctype html>")
    assert "<body><p>x</p>" in html


def test_a_template_may_extend_the_built_in_layout(write: Write) -> None:
    """And set its brand, accent and small print."""
    source = (
        f"{{% extends '{BASE_LAYOUT}' %}}{{% set brand = 'Acme' %}}{{% set accent = '#123456' %}}"
        "{% set footer = 'Bye' %}{% block content %}<a class='button' href='https://a.example'>Go</a>{% endblock %}"
    )
    html = write(**{"a.html": source}).html("a.html", {}, subject="Hello & you")

    assert "<title>Hello &amp; you</title>" in html
    assert ">Acme</td>" in html
    assert re.search(r"<a class=\"button\"[^>]*background: #123456", html)
    assert "Bye" in html


def test_layout_wraps_a_fragment(write: Write) -> None:
    """A fragment becomes the layout's block ``content``, with the same variables in reach of both."""
    renderer = write(
        **{
            "a.html": "<p>{{ name }}</p>",
            "mine.html": "<h1>{{ name }}</h1>{% block content %}-{% endblock %}<h2>{{ subject }}</h2>",
        }
    )

    html = renderer.html("a.html", {"name": "Ada"}, layout="mine.html", subject="S")

    assert "<h1>Ada</h1><p>Ada</p><h2>S</h2>" in html
    assert "<p" in renderer.html("a.html", {"name": "Ada"}, layout=BASE_LAYOUT)


def test_two_layouts_are_an_error(write: Write) -> None:
    """A template that extends a layout itself cannot be given another one."""
    renderer = write(**{"a.html": f"\n{{% extends '{BASE_LAYOUT}' %}}"})

    with pytest.raises(TemplateFailed, match=r"a\.html, line 2: it extends a layout itself"):
        renderer.html("a.html", {}, layout=BASE_LAYOUT)


def test_an_error_in_a_wrapped_fragment_names_the_fragment(write: Write) -> None:
    """Not the wrapping."""
    with pytest.raises(TemplateFailed, match=r"^a\.html, line 2: there is no variable 'y'") as caught:
        write(**{"a.html": "\n{{ y }}"}).html("a.html", {}, layout=BASE_LAYOUT)

    assert "_novukit" not in str(caught.value)


def test_the_preheader_is_hidden_and_first(write: Write) -> None:
    """In any template, escaped, and not in the text alternative."""
    renderer = write(**{"a.html": "<body class='x'><p>Words</p></body>"})

    html = renderer.html("a.html", {}, preheader="3 < 4")

    assert re.search(r"<body[^>]*><div style=\"display:none[^>]*>3 &lt; 4</div>", html)
    assert "Words\n" == renderer.text_from_html(html)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.html.txt"])
def test_an_email_is_html(write: Write, name: str) -> None:
    """A text file as an e-mail's HTML is a mistake, not a message."""
    with pytest.raises(TemplateFailed, match=r"is a \.html file"):
        write(**{name: "x"}).html(name, {})


def test_a_text_is_not_html(write: Write) -> None:
    """Nor is an HTML file an SMS."""
    with pytest.raises(TemplateFailed, match="is HTML"):
        write(**{"a.html": "x"}).text("a.html", {})


def test_the_first_folder_wins(tmp_path: Path) -> None:
    """Folders are looked through in order."""
    for folder, word in (("one", "first"), ("two", "second")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(word)
    (tmp_path / "two" / "b.txt").write_text("only here")
    renderer = Renderer([tmp_path / "one", tmp_path / "two"])

    assert ("first", "only here") == (renderer.text("a.txt", {}), renderer.text("b.txt", {}))


def test_a_change_is_seen_in_development_only(write: Write, tmp_path: Path) -> None:
    """Elsewhere a template is read once."""
    renderers = write(**{"a.txt": "old"}), write(development=True, **{"a.txt": "old"})
    assert ["old", "old"] == [renderer.text("a.txt", {}) for renderer in renderers]

    (tmp_path / "a.txt").write_text("newer")

    os.utime(tmp_path / "a.txt", (2e9, 2e9))
    assert ["old", "newer"] == [renderer.text("a.txt", {}) for renderer in renderers]


def test_threads_share_a_renderer(write: Write) -> None:
    """Each gets its own message."""
    renderer = write(**{"a.html": "{% for n in range(50) %}{{ x }}{% endfor %}"})

    def render(number: int) -> bool:
        return f"{number:05}" * 50 in renderer.html("a.html", {"x": f"{number:05}"})

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(render, range(200)))


def test_html_has_a_size(write: Write) -> None:
    """More than a megabyte is refused while it is being made."""
    source = "{% for a in range(9999) %}{% for b in range(9999) %}0123456789{% endfor %}{% endfor %}"

    with pytest.raises(TemplateFailed, match=f"prints more than {MAX_OUTPUT:,} characters") as caught:
        write(**{"a.html": source}).html("a.html", {})

    assert ["template_limit"] == [issue.code for issue in caught.value.issues]


def test_dates_and_numbers_have_filters(write: Write) -> None:
    """JSON's strings of digits become words."""
    source = (
        "{{ at | date }}|{{ at | date('%H:%M', zone='Europe/Berlin') }}|{{ day | date('%A') }}|{{ d | number }}"
        "|{{ 1234.5 | number(1) }}"
    )
    variables = {"at": datetime(2026, 1, 2, 23, tzinfo=UTC), "day": "2026-01-03", "d": Decimal("1234.5")}

    assert "02 January 2026|00:00|Saturday|1,234.50|1,234.5" == write(**{"a.txt": source}).text("a.txt", variables)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 'soon' | date }}", "'soon' is not an ISO 8601 date"),
        ("{{ '2026-01-01T00:00:00Z' | date(zone='Mars/North') }}", "'Mars/North' is not an IANA time zone"),
        ("{{ 'x' | number }}", "'x' is not a number"),
        ("{{ '1e999999' | number }}", "up to 30 digits"),
    ],
)
def test_filters_name_what_they_cannot_read(write: Write, source: str, said: str) -> None:
    """With the line."""
    with pytest.raises(TemplateFailed, match=rf"a\.txt, line 1: .*{re.escape(said)}"):
        write(**{"a.txt": source}).text("a.txt", {})


def test_a_delivery_in_words(write: Write) -> None:
    """A timedelta is an ISO 8601 duration: JSON again."""
    assert "PT1H" == write(**{"a.txt": "{{ wait }}"}).text("a.txt", {"wait": timedelta(hours=1)})
