"""``Rates``: what kind of weather a seed has, drawn first, so that some seeds are all of one fault, some of none."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields

WORKFLOWS = ("letter", "alarm", "gather", "lull", "later", "turnstile")


@dataclass(frozen=True)
class Rates:
    """Chances are for one occasion (a statement, a call, a ring); times are in virtual seconds."""

    workers: int
    concurrency: int
    lease: float
    sweep: float
    page: int
    """Members of a topic that are expanded at once."""
    group: int
    """Puts that the journal commits together."""
    shuffle: bool
    skew: float
    """How far apart the wall clocks of two machines may be. Novukit goes by the database's."""

    latency: float
    """The longest that a statement takes on its way, either way."""
    statement_fails: float
    commit_refused: float
    """The commit is rolled back, and says so."""
    commit_lost: float
    """The commit is kept, and its answer is lost."""
    commit_dropped: float
    """The commit is rolled back, and its answer is lost: the same error as when it is kept."""
    pause: float
    pause_at_intent: float
    """The same, once more, where an intent has just been put on record and its call comes next."""
    pause_leases: float
    """How long a stopped process stands still, in leases."""
    crash: float
    chaos: float
    """Mean seconds between two blows from outside: kill, stop, terminate, wind a wall clock."""

    ring_lost: float
    ring_doubled: float
    ring_late: float

    post_refuses: float
    post_unavailable: float
    post_silent_after: float
    """The provider accepts, and the answer never comes."""
    post_silent_before: float
    post_slow: float

    workflows: tuple[str, ...]
    environments: int
    people: int
    """How many different recipients single triggers have. Few share their digests and throttles."""
    rush: float
    """Seconds within which all is triggered."""
    author_slow: float
    """The longest that a function of the author's takes."""
    places: int
    """How many messages of one integration a worker sends at a time."""
    triggers: int
    cancels: float
    """How many triggers are cancelled."""
    resumes: float
    """How many triggers come with somebody who resumes all that has failed or is parked."""
    choices: float
    """How many triggers come with a choice of somebody's: a channel that is switched off, an inbox that is read."""
    again: float
    """How many triggers two clients send at once under one id."""

    def __str__(self) -> str:
        return " ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))


def draw(rng: random.Random) -> Rates:
    """The rates of one seed."""
    pick = rng.choice
    calm = rng.random() < 0.15
    return Rates(
        workers=pick((1, 2, 2, 2, 3)),
        concurrency=pick((1, 4, 50)),
        lease=pick((4.0, 8.0)),
        sweep=pick((2.0, 5.0)),
        page=pick((1, 2, 500)),
        group=pick((1, 3, 500, 500)),
        shuffle=pick((True, True, False)),
        skew=pick((0.0, 0.2, 60.0)),
        latency=pick((0.0005, 0.005, 0.05, 0.5)),
        statement_fails=0.0 if calm else pick((0.0, 0.0, 0.003, 0.02)),
        commit_refused=0.0 if calm else pick((0.0, 0.0, 0.03, 0.15)),
        commit_lost=0.0 if calm else pick((0.0, 0.0, 0.03, 0.15)),
        commit_dropped=0.0 if calm else pick((0.0, 0.0, 0.03, 0.1)),
        pause=0.0 if calm else pick((0.0, 0.0, 0.003, 0.01)),
        pause_at_intent=0.0 if calm else pick((0.0, 0.0, 0.1)),
        pause_leases=pick((0.1, 2.0, 2.0, 4.0)),
        crash=0.0 if calm else pick((0.0, 0.0, 0.002, 0.01)),
        chaos=pick((1e9, 15.0, 5.0)),
        ring_lost=pick((0.0, 0.3, 1.0)),
        ring_doubled=pick((0.0, 0.0, 0.3)),
        ring_late=pick((0.0, 0.0, 2.0)),
        post_refuses=pick((0.0, 0.0, 0.05)),
        post_unavailable=pick((0.0, 0.1, 0.3)),
        post_silent_after=pick((0.0, 0.0, 0.1, 0.3)),
        post_silent_before=pick((0.0, 0.0, 0.1)),
        post_slow=pick((0.0, 0.2, 1.0)),
        workflows=tuple(rng.sample(WORKFLOWS, rng.choice((1, 2, 3, 6)))),
        environments=pick((1, 1, 2)),
        people=pick((1, 2, 4)),
        rush=pick((4.0, 12.0, 24.0)),
        author_slow=pick((0.0, 0.5, 2.0)),
        places=pick((1, 2, 30, 30)),
        triggers=rng.randint(9, 15),
        cancels=pick((0.0, 0.3, 0.6)),
        resumes=pick((0.0, 0.0, 0.4)),
        choices=pick((0.0, 0.3, 1.0)),
        again=pick((0.0, 0.3)),
    )
