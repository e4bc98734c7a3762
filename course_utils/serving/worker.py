"""The process of `starting.Service`: loads a bundle, says where it listens, and ends with its parent."""

from pathlib import Path

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.serving.limits import Limits


def main() -> None:
    """Serve the bundle of the job; events: ``ready`` with url, name and version, or ``refused`` with a message."""
    running: list = []
    events, job = processes.begin(lambda: [server.wake() for server in running])
    from course_utils.serving import loading, server

    try:
        app = loading.application_of(
            Path(job["bundle"]),
            limits=Limits(**job["limits"]),
            key=job["key"],
            threads=job["threads"],
            name=job.get("name"),
            traces=Path(job["traces"]) if job.get("traces") else None,
            traces_share=job.get("traces_share", 1.0),
        )
        found = server.listen(job["host"], job["port"])
    except CourseError as error:
        events("refused", message=str(error))
        raise SystemExit(2) from None
    state = app.state.service
    server.serve(
        app,
        found,
        lambda url: events("ready", url=url, name=state.name, version=state.version),
        started=running.append,
    )


if __name__ == "__main__":
    main()
