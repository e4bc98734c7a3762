"""``course doctor``: is this machine ready for the course, and if not, which one command mends it?

``collect`` gathers facts (no framework is imported), ``judge`` turns them into rows, ``report`` does both.
"""

from course_utils.doctor.facts import Facts, collect
from course_utils.doctor.judgements import NOT_FOR_NOTEBOOKS, TENSORFLOWS, judge
from course_utils.doctor.table import Report, Row

__all__ = ["NOT_FOR_NOTEBOOKS", "TENSORFLOWS", "Facts", "Report", "Row", "collect", "judge", "report"]


def report(*, framework: bool = False) -> Report:
    """Look at this machine and judge it. With ``framework`` Keras is started too, in a process of its own (seconds)."""
    return judge(collect(framework=framework))
