"""A service of `writers.alphabet` in a process of its own, whose steps take a while; started by `conftest.writer`."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from writers import alphabet

from course_utils import processes


def main() -> None:
    running: list = []
    events, job = processes.begin(lambda: [one.wake() for one in running])
    from course_utils.serving import server
    from course_utils.serving.decoding import service
    from course_utils.serving.limits import Limits

    model = alphabet(job.get("context", 256), ends=job.get("ends", False))
    if job.get("seconds"):
        forward = model.network.forward

        def slowly(*arguments):
            time.sleep(job["seconds"])
            return forward(*arguments)

        model.network.forward = slowly
    traces = Path(job["traces"]) if "traces" in job else None
    app = service.application(
        model, {"name": "letters"}, Limits(**job.get("limits", {})), key=job.get("key"), traces=traces
    )
    found = server.listen("127.0.0.1", 0)
    server.serve(app, found, lambda url: events("ready", url=url), started=running.append)


if __name__ == "__main__":
    main()
