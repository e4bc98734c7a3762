"""A service of `wire.Stand` in a process of its own: python stand_service.py, started by `conftest.stand`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from wire import Stand

from course_utils import processes


def main() -> None:
    running: list = []
    events, job = processes.begin(lambda: [one.wake() for one in running])
    from course_utils.serving import server, service
    from course_utils.serving.limits import Limits

    model = Stand(job["inputs"], call=job["call"], each=job["each"], leak=job.get("leak", 0))
    traces = Path(job["traces"]) if "traces" in job else None
    app = service.application(
        model,
        {"name": "stand"},
        Limits(**job.get("limits", {})),
        key=job.get("key"),
        traces=traces,
        traces_share=job.get("share", 1.0),
    )
    found = server.listen("127.0.0.1", 0)
    server.serve(app, found, lambda url: events("ready", url=url), started=running.append)


if __name__ == "__main__":
    main()
