"""``novukit trigger``: ask for a workflow to run."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from .. import shape
from ..failure import FAILED, Stopped
from ..output import sign
from ..recipients import recipients
from ..session import Session, live_workers
from ..values import count, payload

POLL = 0.2
"""Seconds between two looks while waiting."""
FINAL = frozenset({"completed", "merged", "cancelled", "failed", "parked"})


@shape.command(
    "trigger",
    examples="""
    novukit trigger welcome --to ada@example.com --set name=Ada --wait
    novukit trigger comment-on-post --to ada --to topic:staff --payload @comment.json
    novukit trigger news --to everyone --payload '{"title": "Hello"}'
    """,
)
@click.argument("workflow")
@click.option(
    "--to",
    multiple=True,
    required=True,
    metavar="RECIPIENT",
    help="A subscriber id, an e-mail address, topic:KEY, or everyone. Repeatable.",
)
@click.option("--payload", "payload_text", metavar="JSON", help="The payload: JSON, @file, or - for standard input.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="One field of the payload; repeatable.")
@click.option("--transaction-id", metavar="TEXT", help="The same id again begins nothing new.")
@click.option("--actor", metavar="SUBSCRIBER", help="Who caused it; gets nothing from a topic.")
@click.option("--tenant", metavar="TEXT", help="The tenant it is for.")
@click.option("--overrides", metavar="JSON", help="Overrides for providers and steps: JSON or @file.")
@click.option("--wait", is_flag=True, help="Wait until every execution has ended, and draw what happened.")
@click.option(
    "--timeout",
    "patience",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 86_400),
    default=60.0,
    show_default=True,
    help="Seconds to wait.",
)
@shape.connected
async def command(
    session: Session,
    *,
    workflow: str,
    to: tuple[str, ...],
    payload_text: str | None,
    sets: tuple[str, ...],
    transaction_id: str | None,
    actor: str | None,
    tenant: str | None,
    overrides: str | None,
    wait: bool,
    patience: float,
) -> None:
    """Ask for a workflow to run for one or more recipients."""
    from pydantic import ValidationError

    from ...model import Subscriber, Trigger, TriggerStatus
    from ..finding import progress_of
    from ..recipients import refused

    try:
        ask = Trigger(
            workflow=workflow, to=recipients(to), payload=payload(payload_text, sets),
            overrides=payload(overrides, ()) if overrides else {}, transaction_id=transaction_id,
            actor=Subscriber(subscriber_id=actor) if actor else None, tenant={"identifier": tenant} if tenant else None,
        )  # fmt: skip
    except ValidationError as err:
        raise refused(err) from None
    answer = await session.client.trigger(ask)
    if answer.status is not TriggerStatus.PROCESSED:
        words = {
            TriggerStatus.NOT_ACTIVE: f"The workflow {workflow!r} is switched off; nothing was sent.",
            TriggerStatus.NO_STEPS: f"The workflow {workflow!r} has no steps; nothing was sent.",
        }
        raise Stopped(words.get(answer.status, f"The trigger was answered with {answer.status.value!r}."), FAILED)
    transaction = answer.transaction_id or ask.transaction_id or ""
    progress = await progress_of(session, transaction) or {}
    value: dict[str, Any] = {
        "transactionId": transaction, "status": answer.status.value,
        "executions": max(answer.executions, int(progress.get("executions", 0))), "duplicate": answer.duplicate,
    }  # fmt: skip
    if progress.get("status", "expanded") != "expanded":  # the members of topics follow
        value |= {"event": progress["status"], "expected": progress["expected"]}
    workers = await live_workers(session)
    if not (wait and session.output.as_json):
        session.output.show(value, lambda: _draw(session, value))
    if workers == 0:
        session.output.note(("! ", "yellow"), "No worker is running: start one with `novukit dev`.")
    if wait:
        await _wait(session, transaction, patience, value)


def _draw(session: Session, value: dict[str, Any]) -> None:
    number = int(value["executions"])
    what = "Triggered before" if value["duplicate"] else "Triggered"
    who = count(number, "execution")
    if value.get("event") == "expanding":
        who = f"{number} of {count(int(value['expected']), 'execution')} so far; the others follow"
    session.output.line((f"{sign('✓')} ", "green"), f"{what}: {who}.")
    session.output.line(("  transaction ", "dim"), value["transactionId"])
    session.output.line(("  novukit executions show ", "bold"), (value["transactionId"], "bold"))


async def _wait(session: Session, transaction: str, patience: float, value: dict[str, Any]) -> None:
    """Look until every execution is final, then draw them."""
    from ..finding import progress_of
    from ..timeline import draw

    found: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(patience):
            while True:
                expanding = ((await progress_of(session, transaction)) or {}).get("status") == "expanding"
                found = (await session.pages("/v1/executions", 1000, transactionId=transaction)).data
                if found and not expanding and all(one["status"] in FINAL for one in found):
                    break
                await asyncio.sleep(POLL)
    except TimeoutError:
        open_ = [one for one in found if one["status"] not in FINAL]
        states = ", ".join(sorted({one["status"] for one in open_})) or "not begun"
        raise Stopped(
            f"After {patience:g} s {count(len(open_), 'execution')} of {len(found)} had not ended ({states}).",
            FAILED,
            hint=f"novukit executions show {transaction}",
        ) from None
    whole = [await session.get(f"/v1/executions/{one['id']}") for one in list(reversed(found))[:20]]

    def draw_all() -> None:
        for one in whole:
            session.output.line("")
            draw(session.output, one)
        if len(found) > len(whole):
            session.output.note((f"… and {len(found) - len(whole)} more", "dim"))

    session.output.show({**value, "data": whole}, draw_all)
    if any(one["status"] in ("failed", "parked") for one in found):
        click.get_current_context().exit(FAILED)
