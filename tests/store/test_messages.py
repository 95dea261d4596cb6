"""Tests of messages as they are read, and of the marks of an inbox."""

from datetime import timedelta

import pytest

from novukit.store import Database, messages
from novukit.store.messages import InboxFilter
from novukit.testing.clock import VirtualClock

from ..rows import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rows(database: Database) -> Rows:
    """A new environment."""
    return await Rows.environment(database)


async def test_page_is_newest_first_and_says_whether_more_follow(rows: Rows) -> None:
    """A page holds at most its limit, newest first, and knows of the next one."""
    made = [(await rows.message()).id for _ in range(5)]
    first = await messages.page(rows.scope, limit=2)
    last = await messages.page(rows.scope, page=2, limit=2)
    assert (made[:2:-1], True) == ([m.id for m in first.data], first.has_more)
    assert ([made[0]], False) == ([m.id for m in last.data], last.has_more)


async def test_page_filters_by_channel_subscriber_and_transactions(rows: Rows) -> None:
    """Each filter narrows; several transactions are alternatives."""
    a = await rows.message("ada", transaction_id="tx-a", channel="email")
    b = await rows.message("bob", transaction_id="tx-b")
    await rows.message("bob", transaction_id="tx-c")
    scope = rows.scope
    assert [a.id] == [m.id for m in (await messages.page(scope, channel="email")).data]
    assert 2 == len((await messages.page(scope, subscriber_id="bob")).data)
    assert [b.id, a.id] == [m.id for m in (await messages.page(scope, transaction_ids=["tx-a", "tx-b"])).data]


async def test_no_one_reads_the_messages_of_another_environment(database: Database, rows: Rows) -> None:
    """Environment B has nothing of A: no page, no look-up, no delete, no mark, no count."""
    other = (await Rows.environment(database, "production")).scope
    message = await rows.message()
    who, at = message.subscriber_uuid, rows.scope.now()
    assert [] == (await messages.page(other)).data
    assert None is await messages.get(other, message.id)
    assert False is await messages.delete(other, message.id)
    assert [] == await messages.delete_by_transaction(other, message.transaction_id)
    assert [] == (await messages.inbox_page(other, who)).data
    assert 0 == await messages.count(other, who)
    assert 0 == await messages.mark(other, who, [message.id], read=True, at=at)
    assert 0 == await messages.remove(other, who, InboxFilter())
    assert message == await messages.get(rows.scope, message.id)


async def test_a_message_that_is_being_sent_is_not_deleted(rows: Rows) -> None:
    """The intent of a call under way stays on record."""
    calling = await rows.message(status="calling", channel="email", transaction_id="tx")
    assert False is await messages.delete(rows.scope, calling.id)
    assert [] == await messages.delete_by_transaction(rows.scope, "tx")
    assert None is not await messages.get(rows.scope, calling.id)


async def test_delete_by_transaction_can_be_narrowed_to_a_channel(rows: Rows) -> None:
    """Only the messages of that channel go."""
    mail = await rows.message(transaction_id="tx", channel="email")
    execution = mail.execution_id
    note = await rows.message(execution_id=execution, step_id="other")
    assert 1 == len(await messages.delete_by_transaction(rows.scope, "tx", "email"))
    assert [note.id] == [m.id for m in await messages.of_executions(rows.scope, [execution])]
    assert 1 == len(await messages.delete_by_transaction(rows.scope, "tx"))
    assert [] == await messages.delete_by_transaction(rows.scope, "tx")


async def test_only_sent_in_app_messages_of_the_subscriber_are_in_the_inbox(rows: Rows) -> None:
    """Other channels, other people and what has not been sent stay out."""
    seen = await rows.message("ada")
    await rows.message("ada", channel="email")
    await rows.message("ada", status="failed")
    await rows.message("bob")
    found = await messages.inbox_page(rows.scope, seen.subscriber_uuid)
    assert [seen.id] == [n.message.id for n in found.data]


async def test_a_notification_comes_with_its_subscriber_and_workflow(rows: Rows) -> None:
    """Name and avatar, and the workflow's id and name; of a deleted workflow there is neither."""
    await rows.workflow("welcome", name="Welcome!")
    who = await rows.subscriber("ada", first_name="Ada", avatar="https://example.org/ada.png")
    await rows.message("ada")
    (shown,) = (await messages.inbox_page(rows.scope, who)).data
    assert ("Ada", None, "https://example.org/ada.png", "Welcome!") == (
        shown.first_name, shown.last_name, shown.avatar, shown.workflow_name,
    )  # fmt: skip
    await rows.scope.database.fetch("delete from novukit_workflow")
    again = await messages.notification(rows.scope, who, shown.message.id)
    assert again is not None
    assert (None, None) == (again.workflow_uuid, again.workflow_name)


async def test_inbox_pages_go_on_after_the_last_one_shown(rows: Rows) -> None:
    """``after`` goes on where a page ended, whatever came in meanwhile; ``offset`` skips."""
    made = [await rows.message() for _ in range(5)]
    who = made[0].subscriber_uuid
    first = await messages.inbox_page(rows.scope, who, limit=2)
    await rows.message()
    second = await messages.inbox_page(rows.scope, who, after=first.data[-1].message.id, limit=2)
    skipped = await messages.inbox_page(rows.scope, who, limit=2, offset=4)
    assert [made[4].id, made[3].id] == [n.message.id for n in first.data]
    assert [made[2].id, made[1].id] == [n.message.id for n in second.data]
    assert [made[1].id, made[0].id] == [n.message.id for n in skipped.data]
    assert [True, True, False] == [first.has_more, second.has_more, skipped.has_more]


async def test_what_is_read_is_seen_and_the_first_time_counts(rows: Rows, clock: VirtualClock) -> None:
    """Reading sets both marks once; reading again changes nothing."""
    message = await rows.message()
    first = clock.now() + timedelta(minutes=1)
    for at in (first, first + timedelta(hours=1)):
        changed = await messages.mark(rows.scope, message.subscriber_uuid, [message.id], read=True, at=at)
        assert changed == (1 if at == first else 0)
    read = await messages.get(rows.scope, message.id)
    assert read is not None
    assert (first, first, first) == (read.read_at, read.seen_at, read.updated_at)


async def test_seen_is_not_read(rows: Rows, clock: VirtualClock) -> None:
    """To see a notification leaves it unread."""
    message = await rows.message()
    await messages.mark(rows.scope, message.subscriber_uuid, [message.id], seen=True, at=clock.now())
    seen = await messages.get(rows.scope, message.id)
    assert seen is not None
    assert (clock.now(), None) == (seen.seen_at, seen.read_at)


async def test_what_is_archived_is_read_and_what_becomes_unread_is_back(rows: Rows, clock: VirtualClock) -> None:
    """Archiving reads; unarchiving keeps it read; unreading takes it out of the archive."""
    message, at = await rows.message(), clock.now()
    who, ids = message.subscriber_uuid, [message.id]

    async def marks() -> tuple[bool, bool, bool]:
        found = await messages.get(rows.scope, message.id)
        assert found is not None
        return found.seen_at is not None, found.read_at is not None, found.archived_at is not None

    await messages.mark(rows.scope, who, ids, archived=True, at=at)
    assert (True, True, True) == await marks()
    await messages.mark(rows.scope, who, ids, archived=False, at=at)
    assert (True, True, False) == await marks()
    await messages.mark(rows.scope, who, ids, archived=True, at=at)
    await messages.mark(rows.scope, who, ids, read=False, at=at)
    assert (True, False, False) == await marks()
    await messages.mark(rows.scope, who, ids, seen=False, at=at)
    assert (False, False, False) == await marks()


async def test_a_filter_marks_all_that_fit(rows: Rows, clock: VirtualClock) -> None:
    """A bulk mark touches what fits and nothing else."""
    social = await rows.message(tags=["social"])
    other = await rows.message(tags=["billing"])
    who = social.subscriber_uuid
    assert 1 == await messages.mark(rows.scope, who, InboxFilter(tags=[["social"]]), read=True, at=clock.now())
    assert 0 == await messages.mark(rows.scope, who, [], read=True, at=clock.now())
    unread = await messages.inbox_page(rows.scope, who, InboxFilter(read=False))
    assert [other.id] == [n.message.id for n in unread.data]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (InboxFilter(), {"a", "b", "c"}),
        (InboxFilter(tags=[["social", "billing"]]), {"a", "b"}),
        (InboxFilter(tags=[["social"], ['über "x"']]), {"a"}),
        (InboxFilter(tags=[["soc"]]), set()),
        (InboxFilter(tags=[["Social"]]), set()),
        (InboxFilter(tags=[[]]), set()),
        (InboxFilter(severity=["high", "low"]), {"b"}),
        (InboxFilter(data={"plan": [["pro"]]}), {"a"}),
        (InboxFilter(data={"plan": [["pro", "free"]]}), {"a", "b"}),
        (InboxFilter(data={"seats": [[5]]}), {"a"}),
        (InboxFilter(data={"trial": [[True]]}), {"b"}),
        (InboxFilter(data={"plan": [["pro"]], "seats": [[6]]}), set()),
        (InboxFilter(data={"missing": [["x"]]}), set()),
        (InboxFilter(read=True), {"c"}),
        (InboxFilter(read=False, archived=False), {"a", "b"}),
        (InboxFilter(snoozed=True), {"b"}),
        (InboxFilter(snoozed=False), {"a", "c"}),
    ],
)  # fmt: skip
async def test_inbox_filters(rows: Rows, clock: VirtualClock, filters: InboxFilter, expected: set[str]) -> None:
    """Tags, data, severity and marks narrow an inbox, alike on both engines."""
    data_a, data_b = {"plan": "pro", "seats": 5}, {"plan": "free", "trial": True}
    a = await rows.message(tags=["social", 'über "x"'], content={"body": "a", "data": data_a})
    b = await rows.message(tags=["billing"], content={"body": "b", "data": data_b}, severity="high")
    c = await rows.message(content={"body": "c", "data": {}})
    who = a.subscriber_uuid
    await messages.mark(rows.scope, who, [c.id], read=True, at=clock.now())
    await messages.snooze(rows.scope, who, b.id, clock.now() + timedelta(hours=1), at=clock.now())
    found = await messages.inbox_page(rows.scope, who, filters)
    assert expected == {n.message.content["body"] for n in found.data}
    assert len(expected) == await messages.count(rows.scope, who, filters)


async def test_inbox_filters_by_time(rows: Rows, clock: VirtualClock) -> None:
    """From and to are both within."""
    first = await rows.message()
    start = clock.now()
    clock.advance(timedelta(hours=1))
    second = await rows.message()
    who = first.subscriber_uuid
    late = await messages.inbox_page(rows.scope, who, InboxFilter(created_from=clock.now()))
    early = await messages.inbox_page(rows.scope, who, InboxFilter(created_to=start))
    assert ([second.id], [first.id]) == ([n.message.id for n in late.data], [n.message.id for n in early.data])


async def test_a_snooze_ends_by_itself(rows: Rows, clock: VirtualClock) -> None:
    """Until its time a notification is snoozed, afterwards it is not; ``None`` ends a snooze at once."""
    message, who = await rows.message(), (await rows.subscriber())
    snoozed = InboxFilter(snoozed=True)
    assert True is await messages.snooze(rows.scope, who, message.id, clock.now() + timedelta(hours=1), at=clock.now())
    assert 1 == await messages.count(rows.scope, who, snoozed)
    clock.advance(timedelta(hours=2))
    assert 0 == await messages.count(rows.scope, who, snoozed)
    await messages.snooze(rows.scope, who, message.id, clock.now() + timedelta(hours=1), at=clock.now())
    await messages.snooze(rows.scope, who, message.id, None, at=clock.now())
    assert 0 == await messages.count(rows.scope, who, snoozed)
    assert False is await messages.snooze(rows.scope, who, rows.scope.new_id(), None, at=clock.now())


async def test_a_count_stops_at_its_cap(rows: Rows) -> None:
    """Beyond the cap nothing is counted; by severity neither."""
    for severity in ("high", "none", "none"):
        message = await rows.message(severity=severity)
    who = message.subscriber_uuid
    assert (3, 2) == (await messages.count(rows.scope, who), await messages.count(rows.scope, who, cap=2))
    assert {"high": 1, "none": 2} == await messages.unread(rows.scope, who)


async def test_a_button_is_pressed_and_released(rows: Rows, clock: VirtualClock) -> None:
    """Each button has its own mark."""
    message = await rows.message()
    who = message.subscriber_uuid
    assert True is await messages.press(rows.scope, who, message.id, "primary", done=True, at=clock.now())
    pressed = await messages.get(rows.scope, message.id)
    assert pressed is not None
    assert (clock.now(), None) == (pressed.primary_done_at, pressed.secondary_done_at)
    await messages.press(rows.scope, who, message.id, "primary", done=False, at=clock.now())
    released = await messages.get(rows.scope, message.id)
    assert released is not None
    assert None is released.primary_done_at


async def test_remove_takes_notifications_out_for_good(rows: Rows) -> None:
    """By id or by filter, and only in-app messages of this subscriber."""
    mine, theirs = await rows.message("ada"), await rows.message("bob")
    mail = await rows.message("ada", channel="email")
    who = mine.subscriber_uuid
    assert 0 == await messages.remove(rows.scope, who, [theirs.id, mail.id])
    assert 1 == await messages.remove(rows.scope, who, InboxFilter())
    assert {theirs.id, mail.id} == {m.id for m in (await messages.page(rows.scope)).data}
