"""novu-py: layouts."""

from __future__ import annotations

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto, ValidationErrorDto

BODY = "<body><p>Acme</p>{{ content }}</body>"


def test_one_from_its_beginning_to_its_end(novu: Novu) -> None:
    """Created (201), changed, shown, listed, copied, deleted (204); then it is not there."""
    made = novu.layouts.create(create_layout_dto={"layout_id": "news", "name": "News"}).result
    assert (made.layout_id, made.name, made.is_default, made.type.value) == ("news", "News", False, "REGULAR")

    values = {"email": {"body": BODY, "editor_type": "html"}}
    changed = novu.layouts.update(
        layout_id="news", update_layout_dto={"name": "Newsletter", "control_values": values}
    ).result
    assert changed.name == "Newsletter"
    shown = novu.layouts.retrieve(layout_id=made.id).result
    assert shown.controls.values.email is not None
    assert (shown.id, shown.controls.values.email.body) == (made.id, BODY)
    listed = novu.layouts.list(request={"query": "newsl", "limit": 5}).result
    assert ([one.layout_id for one in listed.layouts], listed.total_count) == (["news"], 1)

    copy = novu.layouts.duplicate(
        layout_id="news", duplicate_layout_dto={"name": "Copy", "layout_id": "news-copy"}
    ).result
    assert copy.controls.values == shown.controls.values
    assert novu.layouts.usage(layout_id="news").result.workflows == []
    for name in ("news", "news-copy"):
        novu.layouts.delete(layout_id=name)
    with pytest.raises(ErrorDto) as missing:
        novu.layouts.retrieve(layout_id="news")
    assert missing.value.data.status_code == 404


def test_a_preview_shows_it_around_a_sample(novu: Novu) -> None:
    """With the subscriber's name."""
    novu.layouts.create(create_layout_dto={"layout_id": "seen", "name": "Seen"})
    told = novu.layouts.generate_preview(
        layout_id="seen",
        layout_preview_request_dto={
            "control_values": {"email": {"body": "<i>{{ subscriber.first_name }}</i>{{ content }}"}},
            "preview_payload": {"subscriber": {"first_name": "Grace"}},
        },
    ).result
    preview = told.result.preview
    assert preview is not None
    assert "<i>Grace</i><h1>Hello</h1>" in preview.body


def test_a_body_that_cannot_be_used_is_refused(novu: Novu) -> None:
    """With the field and what is wrong."""
    novu.layouts.create(create_layout_dto={"layout_id": "bad", "name": "Bad"})
    values = {"email": {"body": "nothing", "editor_type": "html"}}
    with pytest.raises(ValidationErrorDto) as refused:
        novu.layouts.update(layout_id="bad", update_layout_dto={"name": "Bad", "control_values": values})
    assert list(refused.value.data.errors) == ["controlValues.email.body"]
