"""The breaker: when it opens, whom it lets try, how long each rest is."""

from __future__ import annotations

from novukit.engine.breaker import FAILURES, LONGEST, REST, Breaker
from novukit.model import Reason
from novukit.providers import Delivery, Outcome

DOWN, LOST, SENT = Delivery(Outcome.UNAVAILABLE), Delivery(Outcome.UNKNOWN), Delivery(Outcome.ACCEPTED)


def broken(at: float = 0.0) -> Breaker:
    """One that has just opened."""
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.heard(DOWN, at)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    """An answer that was lost counts as well; any answer begins the count anew, and a refusal is an answer."""
    breaker = Breaker()
    assert [False] * (FAILURES - 1) == [breaker.heard(DOWN, 0) for _ in range(FAILURES - 1)]
    assert not breaker.heard(Delivery(Outcome.REJECTED, reason=Reason.PROVIDER_REJECTED), 0)
    assert [False] * (FAILURES - 1) == [breaker.heard(LOST, 0) for _ in range(FAILURES - 1)]
    assert (True, 0) == (breaker.enter(0), breaker.wait(0))

    assert breaker.heard(LOST, 0)
    assert (False, REST) == (breaker.enter(0), breaker.wait(0))


def test_what_says_nothing_of_its_health_does_not_count() -> None:
    """Being throttled, and what novukit itself refuses: neither opens it nor closes it."""
    neither = [Delivery(Outcome.THROTTLED), Delivery(Outcome.REJECTED, reason=Reason.UNSUPPORTED_FEATURE)]
    breaker = broken()
    assert [False, False] == [breaker.heard(one, 1) for one in neither]
    assert breaker.is_open


def test_at_the_end_of_a_rest_one_may_try() -> None:
    """If that fails the next rest is longer, to a bound; those whose call began earlier tell nothing new."""
    breaker, now, rest = broken(), 0.0, REST
    for _ in range(8):
        assert not breaker.enter(now + rest - 0.01)
        now += rest
        assert [True, False] == [breaker.enter(now), breaker.enter(now)]
        assert not breaker.heard(DOWN, now)
        rest = min(rest * 2, LONGEST)
        breaker.heard(DOWN, now + 1)  # a straggler
        assert rest == breaker.wait(now)


def test_a_success_closes_it() -> None:
    """And the next time it begins with the first rest again."""
    breaker = broken()
    assert breaker.enter(REST)
    assert breaker.heard(SENT, REST)
    assert [True, True] == [breaker.enter(REST), breaker.enter(REST)]
    for _ in range(FAILURES):
        breaker.heard(DOWN, 100)
    assert REST == breaker.wait(100)


def test_a_try_that_never_ends_is_followed_by_another() -> None:
    """The process may have stopped before its call: after one more rest somebody else may."""
    breaker = broken()
    assert breaker.enter(REST)
    assert (False, True) == (breaker.enter(REST + 1), breaker.enter(REST * 2))
