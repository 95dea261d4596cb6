"""The timeline of an execution: what happened in each step, when, how long it took, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .output import Output, clean, sign
from .reasons import in_words
from .values import Json, ago, count, parse_moment, part, parts, span, texts

if TYPE_CHECKING:
    from rich.text import Text

MARKS = {
    "completed": ("✓", "green"),
    "merged": ("✓", "green"),
    "sent": ("✓", "green"),
    "pending": ("⏲", "blue"),
    "running": ("⏲", "blue"),
    "waiting": ("⏲", "yellow"),
    "calling": ("⏲", "blue"),
    "retrying": ("⏲", "yellow"),
    "skipped": ("↷", "cyan"),
    "cancelled": ("↷", "cyan"),
    "failed": ("✗", "red"),
    "unknown": ("?", "magenta"),
    "parked": ("?", "magenta"),
}
WIDEST = 100
Part = str | tuple[str, str]


def mark(status: str) -> tuple[str, str]:
    """The sign and colour of a status."""
    shown, style = MARKS.get(status, ("?", "magenta"))
    return sign(shown), style


def draw(output: Output, execution: Json) -> None:
    """Draw one execution with its steps."""
    width = min(output.width, WIDEST)
    _head(output, execution, width)
    messages = {str(message["id"]): message for message in parts(execution, "messages")}
    steps = parts(execution, "steps")
    room = min(max((len(_name(step)) for step in steps), default=0), max(8, width // 4))
    for step in steps:
        output.line("")
        _step(output, step, room, width)
        for line in _details(step, messages.get(str(step.get("messageId")))):
            for piece in _wrapped(line, width - 4):
                output.line("    ", (piece, "dim"))
    if not steps:
        output.line("")
        output.line(("  No step has begun.", "dim"))


def _head(output: Output, one: Json, width: int) -> None:
    shown, style = mark(one["status"])
    left: list[Part] = [(f"{shown} ", style), (one["workflowId"], "bold"), " for ", (one["subscriberId"], "bold cyan")]
    _spread(output, left, [(one["status"], style)], width)
    for piece in _wrapped(_why(one), width - 2) if _why(one) else []:
        output.line("  ", (piece, style))
    when = f"triggered {ago(one['createdAt'])}"
    if one.get("finishedAt"):
        when += f", took {_between(one['createdAt'], one['finishedAt'])}"
    elif one["status"] == "waiting" and one.get("wakeAt"):
        when += f", goes on {ago(one['wakeAt'])}"
    if int(one.get("runs") or 0) > 1:
        when += f", {one['runs']} runs"
    version = f"  version {one['workflowVersion']}" if one.get("workflowVersion") else ""
    for line in (when, f"execution   {one['id']}{version}", f"transaction {one['transactionId']}"):
        output.line((f"  {line}", "dim"))


def _step(output: Output, step: Json, room: int, width: int) -> None:
    shown, style = mark(step["status"])
    kind = str(step["kind"]).replace("_", "-")
    name = _name(step).ljust(room)
    left: list[Part] = [(f"  {shown} ", style), (name, "bold"), f"  {kind:<8}  ", (_outcome(step), style)]
    clock = f"{parse_moment(step['startedAt']).astimezone():%H:%M:%S}" if step.get("startedAt") else ""
    _spread(output, left, [(f"{clock}  {_took(step):>9}", "dim")], width)


def _details(step: Json, message: Json | None) -> list[str]:
    lines = [why] if (why := _why(step)) else []
    if int(step.get("attempts") or 0) > 1:
        lines.append(f"{step['attempts']} attempts")
    if step.get("wakeAt") and step["status"] in ("waiting", "retrying"):
        lines.append(f"{'tried again' if step['status'] == 'retrying' else 'goes on'} {ago(step['wakeAt'])}")
    if message:
        lines += _message(message)
    elif step.get("messageId"):
        lines.append(f"message {step['messageId']}")
    return lines


def _message(message: Json) -> list[str]:
    content = part(message, "content")
    words = str(content.get("subject") or content.get("body") or "")
    to = texts(content, "to") or texts(message, "to")
    first = " ".join(
        [
            *([f"«{_short(words)}»"] if words else []),
            *([f"to {', '.join(to)}"] if to else []),
            *([f"by {message['providerId']}"] if message.get("providerId") else []),
        ]
    )
    lines = [first, f"message {message['id']}"]
    if message.get("providerMessageId"):
        lines.append(f"the provider's id {message['providerMessageId']}")
    if told := _told(part(message, "delivery")):
        lines.append(told)
    if message.get("possibleDuplicate"):
        lines.append("it may have gone out twice")
    return [line for line in lines if line]


def _told(delivery: Json) -> str:
    """What its vendor told of a message, each thing with its time: ``delivered 2 minutes ago, opened now``."""
    kinds = ("delivered", "opened", "clicked", "bounced", "complained", "unsubscribed", "failed")
    return ", ".join(f"{kind} {ago(delivery[f'{kind}At'])}" for kind in kinds if delivery.get(f"{kind}At"))


def _outcome(step: Json) -> str:
    result = part(step, "result")
    if step["status"] == "completed" and step["kind"] == "digest":
        return count(len(parts(step, "result")), "event")
    if step["status"] == "completed" and result.get("throttled"):
        return "throttled"
    status = str(step["status"])
    return {"calling": "calling the provider", "merged": "joined a digest"}.get(status, status)


def _why(one: Json) -> str:
    """The reason in words, with its detail. Which step failed is said here, why is said there."""
    if one.get("reason") == "step_failed" and one.get("step"):
        return f"step {one['step']} failed"
    why, detail = in_words(one.get("reason")), str(one.get("detail") or "").strip()
    return f"{why}: {detail}" if why and detail else why or detail


def _name(step: Json) -> str:
    return f"{step['stepId']}[{step['key']}]" if step.get("key") else str(step["stepId"])


def _took(step: Json) -> str:
    return "" if step.get("durationMs") is None else span(timedelta(milliseconds=float(step["durationMs"])))


def _between(start: str, end: str) -> str:
    return span(parse_moment(end) - parse_moment(start))


def _short(words: str, most: int = 60) -> str:
    line = " ".join(words.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _spread(output: Output, left: list[Part], right: list[Part], width: int) -> None:
    """Left part, gap, right part in one line; the right part goes below where there is no room."""
    from .output import text

    start, end = text(*left), text(*right)
    gap = width - start.cell_len - end.cell_len
    if output.width > 1000:
        output.console.print(_joined(start, "  ", end), soft_wrap=True)
    elif gap >= 2:
        output.console.print(_joined(start, " " * gap, end), soft_wrap=True)
    else:
        output.console.print(start, overflow="fold")
        output.line("    ", *right)


def _joined(start: Text, gap: str, end: Text) -> Text:
    from rich.text import Text

    return Text.assemble(start, gap, end)


def _wrapped(line: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(clean(line), max(16, width), break_on_hyphens=False) or [""]
