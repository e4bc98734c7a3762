"""What is known of a challenger: labels joined to answers, and the sequential test that they feed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from course_utils.rollout.registry import State
from course_utils.rollout.sequential import Canary, Decision, Paired


class Trial:
    """The test of the challenger that came by the log's line ``since``; `count` it row by row, in any order of rows.

    An answer that is left to a person is not right, and neither is one that the challenger should have given and did
    not give.
    """

    def __init__(self, state: State) -> None:
        self.state, self.since = state, state.since
        self.restart([])

    def restart(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Begin again, and count rows that were counted before, in their order."""
        state, given = self.state, self.state.test
        self.test: Paired | Canary = (
            Paired(given["alpha"], given["margin"])
            if state.mode == "shadow"
            else Canary(given["alpha"], state.share, given["ratio"])
        )
        self.users: set[str] = set()  # who has had an error
        for row in rows:
            self.count(row)

    @property
    def decision(self) -> Decision:
        """What the test has decided."""
        return self.test.decision

    def count(self, row: Mapping[str, Any]) -> bool:
        """Take in a row of the journal that has its true labels; False where it says nothing (yet)."""
        if row["since"] != self.since or row["truth"] is None or row["status"] != 200:
            return False
        truth = json.loads(row["truth"])
        if isinstance(self.test, Paired):
            if row["shadow_labels"] is None:
                return False
            self.test.add(right(row["labels"], truth), right(row["shadow_labels"], truth))
            return True
        wrong = 1.0 if row["fallback"] else 1 - right(row["labels"], truth)
        if wrong and row["user"]:
            # What a user's later errors say follows from who answers that user, and is no new draw.
            if row["user"] in self.users:
                return False
            self.users.add(row["user"])
        self.test.add(row["arm"] == "challenger", wrong)
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


def right(labels: str, truth: Sequence[str]) -> float:
    """The share of ``truth`` that the labels (a JSON list; empty: no answer was given) have right."""
    given = json.loads(labels)
    return sum(one == true for one, true in zip(given, truth, strict=False)) / len(truth)
