"""A service that stands in for a version: right, failing, or slow, as its argument says. Started by the front."""

import sys
import time

import numpy as np

from course_utils import processes


class Stand:
    """Three classes; the text says which one, unless this is the one that is wrong, fails or is slow."""

    class_names = ("billing", "bug", "account")
    threshold, limits, inputs = 0.0, {}, "texts"

    def __init__(self, how: str) -> None:
        self.how, self.calls = how, 0

    def predict_proba(self, texts):
        self.calls += 1
        if self.how == "failing" and self.calls > 30:  # not before it has been measured
            raise RuntimeError("as it was told")
        if self.how == "slow" and self.calls > 30:
            time.sleep(1.5)
        found = np.full((len(texts), 3), 0.1)
        for row, text in zip(found, texts, strict=True):
            name = text.split()[0] if text.split()[:1] and text.split()[0] in self.class_names else "billing"
            row[self.class_names.index(name)] = 0.8
        return found


def main() -> None:
    running: list = []
    events, job = processes.begin(lambda: [one.wake() for one in running])
    from course_utils.serving import server, service
    from course_utils.serving.limits import Limits

    if sys.argv[1] == "refused":
        events("refused", message="It will not start.")
        raise SystemExit(2)
    app = service.application(Stand(sys.argv[1]), {"name": job["name"]}, Limits(**job["limits"]), key=job["key"])
    found = server.listen("127.0.0.1", 0)
    server.serve(app, found, lambda url: events("ready", url=url), started=running.append)


if __name__ == "__main__":
    main()
