"""The timeline of an execution: what happened in each step, when, how long it took, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .output import Output, clean, sign
from .reasons import in_words
from .values import ago, count, parse_moment, span

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


def mark(status: str) -> tuple[str, str]:
    """The sign and colour of a status."""
    shown, style = MARKS.get(status, ("?", "magenta"))
    return sign(shown), style


def draw(output: Output, execution: dict[str, Any]) -> None:
    """Draw one execution with its steps."""
    width = min(output.width, WIDEST)
    _head(output, execution, width)
    messages = {str(message["id"]): message for message in execution.get("messages") or []}
    steps = execution.get("steps") or []
    room = min(max((len(_name(step)) for step in steps), default=0), max(8, width // 4))
    for step in steps:
        output.line("")
        _step(output, step, messages.get(str(step.get("messageId"))), room, width)
    if not steps:
        output.line("")
        output.line(("  No step has begun.", "dim"))


def _head(output: Output, one: dict[str, Any], width: int) -> None:
    shown, style = mark(one["status"])
    _spread(
        output,
        [(f"{shown} ", style), (one["workflowId"], "bold"), " for ", (one["subscriberId"], "bold cyan")],
        [(one["status"], style)],
        width,
    )
    why = _why(one)
    if why:
        output.line("  ", (why, style))
    when = f"triggered {ago(one['createdAt'])}"
    if one.get("finishedAt"):
        when += f" · took {_between(one['createdAt'], one['finishedAt'])}"
    elif one["status"] == "waiting" and one.get("wakeAt"):
        when += f" · goes on {ago(one['wakeAt'])}"
    if int(one.get("runs") or 0) > 1:
        when += f" · {one['runs']} runs"
    output.line((f"  {when}", "dim"))
    version = f"  version {one['workflowVersion']}" if one.get("workflowVersion") else ""
    output.line((f"  {one['id']}{version}", "dim"))
    output.line((f"  transaction {one['transactionId']}", "dim"))


def _step(output: Output, step: dict[str, Any], message: dict[str, Any] | None, room: int, width: int) -> None:
    shown, style = mark(step["status"])
    kind = str(step["kind"]).replace("_", "-")
    left = [f"  {'' if width < 40 else ''}", (f"{shown} ", style), (_name(step).ljust(room), "bold"), f"  {kind:<8}  ", (_outcome(step), style)]  # fmt: skip
    clock = f"{parse_moment(step['startedAt']).astimezone():%H:%M:%S}" if step.get("startedAt") else ""
    _spread(output, left, [(f"{clock}  {_took(step):>9}", "dim")], width)
    for line in _details(step, message):
        for part in _wrapped(line, width - 4):
            output.line("    ", (part, "dim"))


def _details(step: dict[str, Any], message: dict[str, Any] | None) -> list[str]:
    lines: list[str] = []
    if why := _why(step):
        lines.append(why)
    if int(step.get("attempts") or 0) > 1:
        lines.append(f"{step['attempts']} attempts")
    if step.get("wakeAt") and step["status"] in ("waiting", "retrying"):
        lines.append(f"{'tried again' if step['status'] == 'retrying' else 'goes on'} {ago(step['wakeAt'])}")
    if message:
        lines += _message(message)
    elif step.get("messageId"):
        lines.append(f"message {step['messageId']}")
    return lines


def _message(message: dict[str, Any]) -> list[str]:
    content = message.get("content") or {}
    words = content.get("subject") or content.get("body") or ""
    to = content.get("to") or message.get("to")
    provider = message.get("providerId")
    first = f"«{_short(str(words))}»" if words else ""
    if to:
        first += f" to {', '.join(map(str, to)) if isinstance(to, list) else to}"
    if provider:
        first += f" by {provider}"
    ids = f"message {message['id']}"
    if message.get("providerMessageId"):
        ids += f" · {message['providerMessageId']}"
    return [
        line
        for line in (first.strip(), ids, "it may have gone out twice" if message.get("possibleDuplicate") else "")
        if line
    ]


def _outcome(step: dict[str, Any]) -> str:
    result = step.get("result")
    if step["status"] == "completed" and isinstance(result, dict):
        if step["kind"] == "digest":
            return count(len(result.get("events") or []), "event")
        if step["kind"] == "throttle" and result.get("throttled"):
            return "throttled"
    return {"calling": "calling the provider", "merged": "joined a digest"}.get(step["status"], step["status"])


def _why(one: dict[str, Any]) -> str:
    why, detail = in_words(one.get("reason")), str(one.get("detail") or "").strip()
    return f"{why}: {detail}" if why and detail else why or detail


def _name(step: dict[str, Any]) -> str:
    return f"{step['stepId']}[{step['key']}]" if step.get("key") else str(step["stepId"])


def _took(step: dict[str, Any]) -> str:
    if step.get("durationMs") is not None:
        return span(timedelta(milliseconds=float(step["durationMs"])))
    return ""


def _between(start: str, end: str) -> str:
    return span(parse_moment(end) - parse_moment(start))


def _short(text: str, most: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _spread(output: Output, left: list[Any], right: list[Any], width: int) -> None:
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
