"""A claim's verdict under other observations: what a flip is, and the cell that it is tried on."""

import contextlib
import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Flip:
    """Observations ``given`` (the names that a claim's cell takes from the cells above it) and the ``verdict`` on them.

    The first flip of a claim holds what was measured; a later one differs in an observation, and so in its verdict.
    """

    claim: str
    given: Mapping[str, Any]
    verdict: str

    def reached(self) -> str:
        """The verdict that the claim's cell in the chapter's source reaches on these observations."""
        import numpy as np
        import pandas as pd

        from course_utils import claims

        found: list[str] = []

        class Recorder:
            """`course_utils.claims`, except that a verdict is only taken down."""

            def __getattr__(self, name: str) -> Any:
                return getattr(claims, name)

            @staticmethod
            def record(claim: str, verdict: str, evidence: str, **_: Any) -> None:
                assert claim == self.claim and verdict in claims.VERDICTS and evidence.strip()
                found.append(verdict)

        namespace = {"np": np, "pd": pd, "claims": Recorder(), **self.given}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(cell(self.claim), f"<the cell of {self.claim}>", "exec"), namespace)
        assert len(found) == 1, f"{self.claim}: {len(found)} verdicts"
        return found[0]


@functools.cache
def cells() -> dict[str, str]:
    """The code of each cell that records one claim, by the claim."""
    from course_utils.authoring import sources
    from course_utils.chapters import chapters

    found = {}
    for chapter in chapters(ROOT):
        for one in sources.read(chapter).cells:
            if one.code and one.id.startswith("claim-"):
                found[one.id.removeprefix("claim-")] = one.source
    return found


def cell(claim: str) -> str:
    """The code of the cell that records a claim."""
    return cells()[claim]
