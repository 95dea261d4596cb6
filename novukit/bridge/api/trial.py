"""A test message through one integration: does it send, and if not, what does the provider say?"""

from __future__ import annotations

from typing import Annotated

from litestar import post
from litestar.params import FromPath, JSONBody
from pydantic import Field

from ...engine.trial import send_test
from ...errors import CredentialsInvalid, NovukitError, PluginInvalid, ProviderNotFound
from ...model import Reason
from ...providers import Delivery, Outcome
from ...store import integrations
from ..auth import Here, TheRuntime
from ..idempotency import KEEPING
from ..wire import Data, Wire, envelope, identify


class TrialIn(Wire):
    """Whom the test message goes to."""

    to: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="An e-mail address, a phone number, a device token, or for chat a webhook's URL or a channel."
    )


class TrialOut(Wire):
    """What the provider said. ``detail`` has its words; ``providerMessageId`` is its id of the message."""

    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    provider_message_id: str | None = None
    retry_after: float | None = Field(default=None, description="Seconds that the provider asks to wait.")


@post(
    "/v1/integrations/{integration_id:str}/send-test",
    status_code=200,
    summary="Send a test message",
    opt={KEEPING: "apart"},
    tags=["Integrations"],
)
async def send(
    integration_id: FromPath[str], data: JSONBody[TrialIn], here: Here, runtime: TheRuntime
) -> Data[TrialOut]:
    """Send one message through the integration and tell the outcome. Nothing is recorded and nothing tried again."""
    one = await integrations.get(here, runtime.secrets, identify(integration_id, "integration"))
    try:
        delivery = await send_test(runtime, one, data.to)
    except (ProviderNotFound, CredentialsInvalid, PluginInvalid) as err:
        delivery = Delivery(Outcome.REJECTED, reason=_reason(err), detail=str(err))
    told = TrialOut(
        outcome=delivery.outcome,
        reason=delivery.reason,
        detail=delivery.detail,
        provider_message_id=delivery.provider_message_id,
        retry_after=delivery.retry_after,
    )
    return envelope(told)


def _reason(err: NovukitError) -> Reason:
    """As it would stand on a message."""
    if isinstance(err, CredentialsInvalid):
        return Reason.CREDENTIALS_INVALID
    return Reason.PROVIDER_MISSING if isinstance(err, ProviderNotFound) else Reason.PLUGIN_ERROR


HANDLERS = [send]
