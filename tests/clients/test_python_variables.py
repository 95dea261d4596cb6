"""novu-py: environment variables."""

from __future__ import annotations

import pytest
from novu_py import Novu
from novu_py.models import APIError

from novukit.bridge.api.variables import MASK

from .serving import Live


@pytest.fixture(scope="module")
def own(live: Live) -> str:
    """The id of Development."""
    with live.api() as api:
        return api.get("/v1/environments/me").json()["data"]["_id"]


def test_one_from_its_beginning_to_its_end(novu: Novu, own: str) -> None:
    """Created (200), shown, changed, listed, deleted (204); then it is not there."""
    made = novu.environment_variables.create(
        create_environment_variable_request_dto={
            "key": "SHOP_URL", "values": [{"environment_id": own, "value": "https://a.example.com"}],
        }
    ).result  # fmt: skip
    assert (made.key, made.is_secret, made.values[0].value) == ("SHOP_URL", False, "https://a.example.com")
    changed = novu.environment_variables.update(
        variable_key="SHOP_URL",
        update_environment_variable_request_dto={"values": [{"environment_id": own, "value": "https://b.example.com"}]},
    ).result
    assert changed.values[0].value == "https://b.example.com"
    assert novu.environment_variables.retrieve(variable_key="SHOP_URL").result.id == made.id
    listed = novu.environment_variables.list(search="shop").result
    assert [one.key for one in listed] == ["SHOP_URL"]
    assert novu.environment_variables.usage(variable_key="SHOP_URL").result.workflows == []

    novu.environment_variables.delete(variable_key="SHOP_URL")
    with pytest.raises(APIError) as missing:
        novu.environment_variables.retrieve(variable_key="SHOP_URL")
    assert missing.value.status_code == 404


def test_a_secret_is_masked(novu: Novu, own: str) -> None:
    """From the first answer on."""
    made = novu.environment_variables.create(
        create_environment_variable_request_dto={
            "key": "API_TOKEN", "is_secret": True, "values": [{"environment_id": own, "value": "s3cret"}],
        }
    ).result  # fmt: skip
    shown = novu.environment_variables.retrieve(variable_key="API_TOKEN").result
    assert [one.values[0].value for one in (made, shown)] == [MASK, MASK]
