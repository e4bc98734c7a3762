"""The whole quick course, run as ``course run`` runs it: seconds and peak memory of each chapter, beside its budget.

    python tests/benchmarks/quick_course.py [--rounds 1] [--edition learner|solutions] [chapter ...]

With several rounds a chapter's row has the median of its seconds and the most memory it ever took. The results go to a
temporary folder, not to ``build/``. Ends with status 1 when a chapter did not pass. Needs an otherwise idle machine.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--edition", choices=("learner", "solutions"), default="learner")
    parser.add_argument("chapters", nargs="*", help="chapters, such as 07 (default: all)")
    arguments = parser.parse_args()

    sys.path.insert(0, str(ROOT))  # the checkout that this script belongs to, whatever is installed
    from course_utils.chapters import select
    from course_utils.errors import CourseError
    from course_utils.running.runs import run

    try:
        chapters = select(arguments.chapters, ROOT)
        rounds = []
        for _ in range(arguments.rounds):
            with tempfile.TemporaryDirectory() as scratch:
                rounds.append(run(chapters, profile="quick", edition=arguments.edition, out=scratch))
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2

    print(f"quick profile, {arguments.edition} edition, rounds: {arguments.rounds}")
    print(f"{'chapter':28}{'verdict':>12}{'seconds':>10}{'budget':>8}{'peak MiB':>10}{'budget':>8}")
    total, passed = 0.0, True
    for number, chapter in enumerate(chapters):
        outcomes = [outcomes[number] for outcomes in rounds]
        verdict = next((outcome.verdict for outcome in outcomes if outcome.verdict != "passed"), "passed")
        seconds = statistics.median(outcome.seconds for outcome in outcomes)
        peak = max(outcome.peak_mib for outcome in outcomes)
        total, passed = total + seconds, passed and verdict == "passed"
        print(f"{chapter.name:28}{verdict:>12}{seconds:10.1f}{chapter.seconds:8}{peak:10.0f}{chapter.memory_mib:8}")
    budget = sum(chapter.seconds for chapter in chapters)
    print(f"all chapters together: {total:.1f} s, {total / budget:.2f} of their budgets")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
