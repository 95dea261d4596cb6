"""``novukit executions``: what ran, for whom, and why it ended as it did."""

from __future__ import annotations

from typing import Any

import click

from .. import shape
from ..index import summary
from ..output import Column, text
from ..reasons import in_words
from ..session import Session
from ..values import ago, count

command = shape.group(
    "executions",
    summary("executions"),
    examples="""
    novukit executions list --status failed
    novukit executions show 019acb12
    novukit executions resume 019acb12
    novukit executions resolve 019acb12 --as sent
    """,
)

STATUSES = ["pending", "running", "waiting", "completed", "merged", "cancelled", "failed", "parked"]


@command.command("list", examples="novukit executions list --workflow welcome --status failed --status parked")
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only this status; repeatable.")
@click.option("--workflow", metavar="ID", help="Only this workflow.")
@click.option("--subscriber", metavar="ID", help="Only this subscriber.")
@click.option("--transaction", metavar="ID", help="Only this transaction.")
@click.option("--unknown", is_flag=True, help="Only those that ended at a message that may or may not have gone out.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How many to show."
)
@shape.connected
async def list_(
    session: Session, *, status: tuple[str, ...], workflow: str | None, subscriber: str | None, transaction: str | None,
    unknown: bool, limit: int,
) -> None:  # fmt: skip
    """List executions, newest first."""
    from ..finding import progress_of

    found = await session.pages(
        "/v1/executions", limit, status=list(status) or None, workflowId=workflow, subscriberId=subscriber,
        transactionId=transaction, unknown="true" if unknown else None,
    )  # fmt: skip
    progress = await progress_of(session, transaction) if transaction else None

    def draw() -> None:
        sought = status or workflow or unknown
        table(session, found.data, "There are no such executions." if sought else "Nothing has run yet.")
        if found.more:
            session.output.note((found.more, "dim"))
        if progress and progress["status"] != "expanded":
            session.output.note((_so_far(progress), "dim"))
        if unknown and found.data:
            session.output.note(("Find out, then: novukit executions resolve ID --as sent|not-sent|failed", "dim"))

    session.output.show({"data": found.data, "totalCount": found.total}, draw)


@command.command(
    "show",
    examples="""
    novukit executions show 019acb12
    # all executions of a transaction
    novukit executions show 6f1c2d3e-0b1a-4c5d-8e9f-a0b1c2d3e4f5
    """,
)
@click.argument("id")
@shape.connected
async def show(session: Session, *, id: str) -> None:
    """Draw the timeline of an execution. ID is an execution or transaction id, or 8 characters of either."""
    from ..finding import find
    from ..timeline import draw as draw_one

    found = await (await find(session, id)).stories(session)

    def draw() -> None:
        for number, one in enumerate(found):
            if number:
                session.output.line("")
            draw_one(session.output, one)

    session.output.show(found[0] if len(found) == 1 else {"data": found}, draw)


@command.command(
    "resume",
    examples="""
    novukit executions resume 019acb12
    novukit executions resume --workflow welcome --all-failed
    """,
)
@click.argument("ids", nargs=-1)
@click.option("--all-failed", is_flag=True, help="All failed and parked ones that the other options leave.")
@click.option("--workflow", metavar="ID", help="Only this workflow; with --all-failed.")
@click.option("--step", metavar="ID", help="Only those that failed in this step; with --all-failed.")
@click.option("--reason", metavar="REASON", help="Only those that failed for this reason; with --all-failed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def resume(
    session: Session,
    *,
    ids: tuple[str, ...],
    all_failed: bool,
    workflow: str | None,
    step: str | None,
    reason: str | None,
    yes: bool,
) -> None:
    """Go on with failed or parked executions at the step that failed."""
    from ..asking import confirm
    from ..finding import find
    from ..session import live_workers

    if bool(ids) == all_failed:
        raise click.UsageError("Give either ids or --all-failed.")
    chosen: list[str] = []
    if ids:
        chosen = [one["id"] for name in ids for one in (await find(session, name)).executions]
        answer = await session.post("/v1/executions/resume", {"executionIds": chosen})
    else:
        which = " ".join(filter(None, [workflow and f"of {workflow}", step and f"at {step}", reason]))
        confirm(session.output, f"Resume all failed and parked executions {which}".strip() + "?", yes)
        wanted = {"workflowId": workflow, "step": step, "reason": reason, "status": ["failed", "parked"]}
        answer = await session.post(
            "/v1/executions/resume", {"filter": {key: value for key, value in wanted.items() if value}}
        )
    resumed = int(answer["resumed"])

    def draw() -> None:
        session.output.line((count(resumed, "execution"), "bold"), " resumed.")
        if ids and resumed < len(chosen):
            session.output.note(("Only failed and parked executions can be resumed.", "dim"))

    session.output.show(answer, draw)
    if resumed and await live_workers(session) == 0:
        session.output.note(("! ", "yellow"), "No worker is running: start one with `novukit dev`.")
    if not resumed:
        click.get_current_context().exit(1)


@command.command(
    "resolve",
    examples="""
    # the provider's log has it
    novukit executions resolve 019acb12 --as sent --note "in the log at 10:02"
    # it never arrived: send it again, under the same key
    novukit executions resolve 019acb12 --as not-sent
    # give it up
    novukit executions resolve --all-unknown --workflow one-time-code --as failed
    """,
)
@click.argument("ids", nargs=-1)
@click.option(
    "--as", "outcome", required=True, type=click.Choice(["sent", "not-sent", "failed"]),
    help="What became of the message.",
)  # fmt: skip
@click.option("--note", metavar="TEXT", default="", help="How you know; it goes into the activity log.")
@click.option("--all-unknown", is_flag=True, help="All whose outcome is unknown that the other options leave.")
@click.option("--workflow", metavar="ID", help="Only this workflow; with --all-unknown.")
@click.option("--step", metavar="ID", help="Only those that stand at this step; with --all-unknown.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape.connected
async def resolve(
    session: Session, *, ids: tuple[str, ...], outcome: str, note: str, all_unknown: bool, workflow: str | None,
    step: str | None, yes: bool,
) -> None:  # fmt: skip
    """Say what became of a message that may have gone out, and let its execution go on.

    sent: its step is complete. not-sent: the same message is sent again under the same key, with all its attempts
    before it. failed: its step fails as if the provider had refused it. Each goes into the activity log.
    """
    from ..asking import confirm
    from ..finding import find
    from ..session import live_workers

    if bool(ids) == all_unknown:
        raise click.UsageError("Give either ids or --all-unknown.")
    body: dict[str, Any] = {"outcome": outcome.replace("-", "_"), "note": note}
    if ids:
        chosen = [one["id"] for name in ids for one in (await find(session, name)).executions]
        if len(chosen) == 1:  # which is told why, if it cannot be
            await session.post(f"/v1/executions/{chosen[0]}/resolve", body)
            answer = {"resolved": 1, "already": 0, "others": 0}
        else:
            answer = await session.post("/v1/executions/resolve", {**body, "executionIds": chosen})
    else:
        which = " ".join(filter(None, [workflow and f"of {workflow}", step and f"at {step}"]))
        question = f"Say of all messages {which} whose outcome is unknown: {outcome}?"
        confirm(session.output, " ".join(question.split()), yes)
        wanted = {"workflowId": workflow, "step": step}
        body["filter"] = {key: value for key, value in wanted.items() if value}
        answer = await session.post("/v1/executions/resolve", body)
    done = int(answer["resolved"]) + int(answer["already"])

    def draw() -> None:
        verb = "goes on" if done == 1 else "go on"
        session.output.line((count(done, "execution"), "bold"), f" {verb}: {outcome}.")
        if answer["others"]:
            session.output.note((f"{count(int(answer['others']), 'execution')} stood at no unknown outcome.", "dim"))

    session.output.show(answer, draw)
    if done and await live_workers(session) == 0:
        session.output.note(("! ", "yellow"), "No worker is running: start one with `novukit dev`.")
    if not done:
        click.get_current_context().exit(1)


@command.command("cancel", examples="novukit executions cancel 6f1c2d3e-0b1a-4c5d-8e9f-a0b1c2d3e4f5")
@click.argument("id")
@shape.connected
async def cancel(session: Session, *, id: str) -> None:
    """Cancel an execution, or all of a transaction: nothing of it begins any more."""
    from ..finding import find

    found = await find(session, id)
    if found.transaction is None:
        one = found.executions[0]
        answer, what = await session.post(f"/v1/executions/{one['id']}/cancel"), f"execution {one['id']}"
    else:
        answer = await session.post("/v1/executions/cancel", {"transactionId": found.transaction})
        what = f"transaction {found.transaction}"
    stopping = int(answer["cancelling"])

    def draw() -> None:
        if answer["cancelled"]:
            session.output.line(f"Cancelled {what}.")
        if stopping:
            running = f"{count(stopping, 'execution')} of it" if found.transaction else "It"
            session.output.line(f"Cancelling {what}: {running} runs just now and stops before its next step begins.")
        if not (answer["cancelled"] or stopping):
            session.output.line(f"Nothing was left to cancel of {what}.")

    session.output.show(answer, draw)


def _so_far(progress: dict[str, Any]) -> str:
    """How far the members of a transaction's topics have been read."""
    if progress["status"] == "cancelled":
        return f"It was cancelled at {count(int(progress['executions']), 'execution')}."
    return f"{progress['executions']} of {count(int(progress['expected']), 'member')} so far; the others follow."


def table(session: Session, rows: list[dict[str, Any]], empty: str) -> None:
    """Executions in a table."""
    from ..timeline import mark

    session.output.table(
        [
            Column("Execution", "cyan"), Column("Workflow"), Column("Subscriber"), Column("Status"),
            Column("When", "dim"), Column("Why", fold=True, spare=True),
        ],
        [
            [
                # The end of an id tells executions apart better than its beginning, which is a time.
                one["id"] if session.output.width > 120 else one["id"][-12:], one["workflowId"], one["subscriberId"],
                text((f"{mark(one['status'])[0]} {one['status']}", mark(one["status"])[1])), ago(one["createdAt"]),
                in_words(one.get("reason")),
            ]
            for one in rows
        ],
        empty=empty,
    )  # fmt: skip
