"""Routes of the operations that novukit leaves out on purpose: each says so, with a code that does not change.

Never a 5xx, a 409 or a 429, which the SDKs repeat for up to an hour.
"""

from __future__ import annotations

import re
from typing import Any

from litestar.handlers import HTTPRouteHandler

from ...errors import NotSupported
from ..idempotency import KEEPING
from ..operations import OPERATIONS, Operation, State
from ..parameters import ANY_QUERY


def _refusing(one: Operation) -> HTTPRouteHandler:
    """A handler that refuses, whatever comes with the call."""

    async def refuse() -> None:
        raise NotSupported(one.note, hint="docs/novu-compatibility.md lists what is here, and what is not.")

    path = re.sub(r"\{(\w+)\}", r"{\1:str}", one.path)
    return HTTPRouteHandler(
        path, http_method=one.method, include_in_schema=False, opt={ANY_QUERY: True, KEEPING: "never"}
    )(refuse)


HANDLERS: list[Any] = [_refusing(one) for one in OPERATIONS if one.state is State.NOT_HERE]
