"""Is the server alive, and is it ready to work? For load balancers and for people; no key is needed."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from ..engine import Runtime
from ..errors import DatabaseUnavailable, NovukitError
from ..store import migrations, workers
from .wire import Wire


class Live(Wire):
    """The process answers."""

    status: str


class Plugin(Wire):
    """One plugin, and why it does not serve."""

    name: str
    distribution: str
    ok: bool
    error: str | None
    providers: list[str]


class Ready(Wire):
    """Whether the server can do its work. ``problem`` says why not; ``workers`` are those that are alive."""

    status: str
    database: str
    problem: str | None
    workers: int | None
    plugins: list[Plugin]


@get("/v1/health/live", summary="Is the process alive?", security=[{}], sync_to_thread=False)
def live() -> Live:
    """Answers as long as the process does; looks at nothing else."""
    return Live(status="ok")


@get("/v1/health/ready", summary="Is the server ready?", security=[{}])
async def ready(runtime: SkipValidation[NamedDependency[Runtime]]) -> Response[Ready]:
    """Looks at the database, its schema, the workers and the plugins. 503 when the database cannot be used.

    No worker, or a plugin that does not load, is told but is no 503: triggers are accepted and kept all the same.
    """
    problem, count = None, None
    try:
        await migrations.check(runtime.database)
        count = await workers.alive(runtime.database)
    except NovukitError as err:
        problem = str(err)
    except Exception:  # whatever the driver raises, the answer is that the database cannot be used
        problem = str(DatabaseUnavailable())
    body = Ready(
        status="ok" if problem is None else "unavailable",
        database=runtime.database.dialect,
        problem=problem,
        workers=count,
        plugins=[
            Plugin(name=p.name, distribution=p.distribution, ok=p.ok, error=p.error, providers=list(p.providers))
            for p in runtime.host.statuses
        ],
    )
    return Response(body, status_code=200 if problem is None else 503)


HANDLERS = [live, ready]
