"""What works of Novu's API, for docs/novu-compatibility.md: from the table of operations."""

from __future__ import annotations

from collections import Counter

from novukit.bridge.operations import OPERATIONS, Operation, State, Tier

from .matrix import table

_OPENING = """\
Novu's official clients work with novukit unmodified: the URL is all that changes. This page lists each of the
{all} operations of Novu's server SDKs (novu-py 3.19.0 and @novu/api 3.19.1, which are generated from one description),
and what novukit does with it. Tests hold the list against the code of novu-py and against the routes of novukit."""

_POINTING = """\
## Point a client at novukit

Python, with the secret key that `novukit keys` shows:

```python
from novu_py import Novu

with Novu(secret_key="nk_…", server_url="https://novukit.example.com") as novu:
    novu.trigger(trigger_event_request_dto={"workflow_id": "welcome", "to": "ada", "payload": {"name": "Ada"}})
```

JavaScript and TypeScript:

```ts
import { Novu } from "@novu/api";

const novu = new Novu({ secretKey: "nk_…", serverURL: "https://novukit.example.com" });
await novu.trigger({ workflowId: "welcome", to: "ada", payload: { name: "Ada" } });
```

Other languages take the same two: the URL without `/v1`, and the key in `Authorization: ApiKey nk_…`. The key selects
the environment."""

_MEETING = """\
## What you will meet

Of the clients themselves, here as with Novu:

- **They repeat 408, 409, 429 and 5xx, for up to an hour.** novukit answers mistakes of the caller with none of these,
  but for `failIfExists`, where the contract is 409: then a default client waits. Give it
  `retry_config=RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)` (Python) or `retryConfig: {strategy: "none"}`.
- **They send an `Idempotency-Key` with every call.** novu-py makes a new one for each attempt, so only a key of your
  own or a `transactionId` protects a trigger that is repeated; @novu/api keeps its key.
- **They drop what they do not know**: `controls` of a trigger, provider keys at the top of `overrides` (write
  `overrides.providers.fcm`), keys of `credentials` outside Novu's list, and all that is inside `tenant.data` and
  `credentials.tlsOptions`.
- **novu-py does not encode `/` and `%` in ids**, so ids with these are refused everywhere.
- `tags` of the marks that mean many notifications cannot be sent: the SDKs take an object there. Use `data`.

Of novukit, where it says more than Novu:

- An unknown field, an unknown query parameter and a repeated JSON key are errors with a suggestion, not silence.
- Errors have `code`, `hint`, `requestId` and `details` beside Novu's fields ([errors](errors.md)).
- The same `transactionId` with another body is refused with 422; with the same body it begins nothing.
- What is left out answers 404 with the code `not_supported` and the sentence below."""


def parts() -> list[str]:
    """The page below its title."""
    written = [_OPENING.format(all=len(OPERATIONS)), _totals(), _POINTING, _MEETING]
    for tier in Tier:
        those = [one for one in OPERATIONS if one.tier is tier]
        written += [f"## {tier.sentence}", *_nouns(those)]
    return written


def _totals() -> str:
    """How many of each tier are in each state."""
    counted = Counter((one.tier, one.state) for one in OPERATIONS)
    body = [[tier.sentence.partition(":")[0], *(str(counted[tier, state] or "–") for state in State)] for tier in Tier]
    body.append(["all", *(str(sum(counted[tier, state] for tier in Tier)) for state in State)])
    return table(["", *(state.value for state in State)], body)


def _nouns(those: list[Operation]) -> list[str]:
    """A table for each noun."""
    tables: list[str] = []
    for noun in dict.fromkeys(one.noun for one in those):
        body = [[f"`{one.call}`", f"`{one.method} {one.path}`", _said(one)] for one in those if one.noun == noun]
        tables.append(table([noun, "route", ""], body))
    return tables


def _said(one: Operation) -> str:
    return one.state.value if not one.note else f"{one.state.value}: {one.note}"
