"""novu-py: translations. Its two uploads fail before they send anything; tests/bridge has them."""

from __future__ import annotations

import pytest
from novu_py import Novu
from novu_py.models import APIError

from .serving import Live


def test_one_from_its_beginning_to_its_end(novu: Novu) -> None:
    """Put (200), shown, grouped, deleted (204); then it is not there."""
    own = {"resource_id": "note", "resource_type": "workflow"}
    for locale, content in (("en_US", {"a": "A", "b": {"c": "C"}}), ("de_DE", {"a": "Ä"})):
        made = novu.translations.create(create_translation_request_dto={**own, "locale": locale, "content": content})
        assert (made.locale, made.content, made.resource_type.value) == (locale, content, "workflow")

    shown = novu.translations.retrieve(resource_type="workflow", resource_id="note", locale="de_DE")
    assert shown.content == {"a": "Ä"}
    group = novu.translations.groups.retrieve(resource_type="workflow", resource_id="note")
    assert (group.resource_name, group.locales, group.outdated_locales) == ("A note", ["de_DE", "en_US"], ["de_DE"])

    novu.translations.delete(resource_type="workflow", resource_id="note", locale="de_DE")
    with pytest.raises(APIError) as missing:
        novu.translations.retrieve(resource_type="workflow", resource_id="note", locale="de_DE")
    assert missing.value.status_code == 404
    novu.translations.groups.delete(resource_type="workflow", resource_id="note")
    with pytest.raises(APIError):
        novu.translations.groups.retrieve(resource_type="workflow", resource_id="note")


def test_all_texts_of_a_locale_go_in_and_come_out(novu: Novu) -> None:
    """What is not known is told."""
    texts = {"workflows": {"alarm": {"title": "Sveglia"}, "nowhere": {"title": "?"}}}
    done = novu.translations.master.import_master_json(
        import_master_json_request_dto={"locale": "it_IT", "master_json": texts}
    )
    assert (done.success, done.successful, done.failed) == (False, ["alarm"], ["nowhere"])
    found = novu.translations.master.retrieve(locale="it_IT")
    assert (found.workflows, found.layouts) == ({"alarm": {"title": "Sveglia"}}, {})


def test_files_are_uploaded_by_hand(live: Live) -> None:
    """As any client would that can."""
    with live.api() as api:
        fields = {"resourceId": "reminder", "resourceType": "workflow"}
        answer = api.post(
            "/v2/translations/upload", data=fields, files={"files": ("fr_FR.json", b'{"late": "En retard"}')}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["successfulUploads"] == 1
        shown = api.get("/v2/translations/workflow/reminder/fr_FR").json()["data"]
    assert shown["content"] == {"late": "En retard"}
