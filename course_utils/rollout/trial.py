"""What is known of a challenger: labels joined to answers, and the sequential test that they feed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from course_utils.rollout.registry import State
from course_utils.rollout.sequential import Canary, Decision, Paired


class Trial:
    """The test of the challenger that came by the log's line ``since``; `count` it row by row, in any order of rows.

    *One bet a user*: of each user the first answer counts whose truth is known, in shadow as in canary, right or wrong.
    A request without a user's name counts as a user of its own. So the test's promise rests on this: given the past,
    what the next user gets is independent of what others got, and whether an answer is labelled does not depend on who
    gave it.

    An answer that is left to a person is not right. Neither is one that has not come: of the champion as of the
    challenger a failure, or an answer after ``slow_seconds``, is wrong once the request is labelled, so label requests
    that failed as often as others. What the champion refuses (a status of 4xx) counts for neither. A canary that grows
    step by step is one trial, with one wealth.
    """

    def __init__(self, state: State, slow_seconds: float = float("inf")) -> None:
        self.state, self.since, self.slow_seconds = state, state.since, slow_seconds
        self.shares = dict(state.stages)  # of the requests, by the line of the log that set them
        self.restart([])

    def restart(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Begin again, and count rows that were counted before, in their order."""
        state, given = self.state, self.state.test
        self.test: Paired | Canary = (
            Paired(given["alpha"], given["margin"])
            if state.mode == "shadow"
            else Canary(given["alpha"], state.share, given["ratio"])
        )
        self.users: set[str] = set()  # who has been counted
        for row in rows:
            self.count(row)

    @property
    def decision(self) -> Decision:
        """What the test has decided."""
        return self.test.decision

    def count(self, row: Mapping[str, Any]) -> bool:
        """Take in a row of the journal that has its true labels; False where it says nothing (yet)."""
        failed = has_failed(row["status"])
        if row["since"] not in self.shares or row["truth"] is None or not (failed or row["status"] == 200):
            return False
        in_shadow = isinstance(self.test, Paired)
        if (in_shadow and row["shadow_labels"] is None) or row["user"] in self.users:
            return False
        if row["user"]:
            self.users.add(row["user"])
        truth = json.loads(row["truth"])
        missing = failed or row["fallback"] or row["seconds"] > self.slow_seconds
        score = 0.0 if missing else right(row["labels"], truth)
        if in_shadow:
            self.test.add(score, right(row["shadow_labels"], truth))
        else:
            self.test.add(row["arm"] == "challenger", 1 - score, self.shares[row["since"]])
        return True

    def as_json(self) -> dict[str, Any]:
        """Logarithms of wealth, the bound ``enough``, how many answers came and how many of them moved it."""
        worse, better = self.test.evidence
        return {
            "worse": round(worse, 4),
            "better": round(better, 4),
            "enough": round(self.test.enough, 4),
            "answers": self.test.answers,
            "counted": self.test.counted,
            "decision": self.decision,
        }


def has_failed(status: int) -> bool:
    """Whether no answer came, through no fault of the request."""
    return status >= 500


def right(labels: str, truth: Sequence[str]) -> float:
    """The share of ``truth`` that the labels (a JSON list; empty: no answer was given) have right."""
    given = json.loads(labels)
    return sum(one == true for one, true in zip(given, truth, strict=False)) / len(truth)
