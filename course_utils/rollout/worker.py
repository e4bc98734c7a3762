"""The process of a front: follows a registry, answers requests, ends with its parent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.rollout.registry import Registry

SLOW_SECONDS = 1.0  # after which either version has failed, for the test


def run(
    registry: Registry,
    folder: Path | None = None,
    *,
    host: str,
    port: int,
    limits: Any,
    ready: Callable[[str, str], None],
    slow_seconds: float = SLOW_SECONDS,
    api_key: str | None = None,
    commands: Mapping[str, Sequence[str]] | None = None,
    started: Callable[[Any], None] = lambda server: None,
) -> int:
    """Serve a registry until told to stop; returns how many requests were given up.

    ``folder`` (default: front/ in the registry) takes the journal. ``ready(name, url)`` is called when the champion
    answers, or it is known that it does not. Raises CourseError for a registry whose log was changed, a folder that
    takes nothing, a port in use.
    """
    from course_utils.rollout.application import Front
    from course_utils.rollout.steering import Steering
    from course_utils.serving import server

    _ = registry.state  # refuses a log whose past was changed
    found = server.listen(host, port)
    try:
        steering = Steering(registry, folder or registry.folder / "front", limits, commands, slow_seconds=slow_seconds)
    except CourseError:
        found.close()
        raise
    app = Front(steering, limits, slow_seconds=slow_seconds, key=api_key)
    tasks: list[asyncio.Task] = []

    async def work(url: str) -> None:
        await steering.begin()
        ready(steering.name, url)
        await app.work()

    async def close() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await steering.close()

    return server.serve(
        app,
        found,
        lambda url: tasks.append(asyncio.get_running_loop().create_task(work(url))),
        started=started,
        closing=close,
    )


def main() -> None:
    """Serve the registry of the job; events: ``ready`` with url and name, or ``refused`` with a message."""
    running: list = []
    events, job = processes.begin(lambda: [server.wake() for server in running])
    from course_utils.serving.limits import Limits

    try:
        lost = run(
            Registry(job["registry"], key=job["key"]),
            Path(job["folder"]),
            host="127.0.0.1",
            port=job["port"],
            limits=Limits(**job["limits"]),
            slow_seconds=job["slow_seconds"],
            commands=job["commands"],
            started=running.append,
            ready=lambda name, url: events("ready", name=name, url=url),
        )
    except CourseError as error:
        events("refused", message=str(error))
        raise SystemExit(2) from None
    raise SystemExit(1 if lost else 0)


if __name__ == "__main__":
    main()
