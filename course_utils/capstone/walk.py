"""The seven steps in their order: each is looked at once all that it stands on is done."""

from collections.abc import Callable, Iterator
from pathlib import Path

from course_utils.capstone import answering, choosing, decision, question, shipping, watching
from course_utils.capstone.work import CONTRADICTS, DONE, MISSING, Open, Step, Work
from course_utils.errors import CourseError
from course_utils.language import say

# Number → (the steps that it stands on, what has to hold).
STEPS: dict[int, tuple[tuple[int, ...], tuple[Callable[[Work], str], ...]]] = {
    1: ((), (choosing.stated,)),
    2: ((), (choosing.looked,)),
    3: ((1, 2), (choosing.compared,)),
    4: ((3,), (shipping.bundled,)),
    5: ((4,), (shipping.gated,)),
    6: ((4,), (answering.served,)),
    7: ((4,), (watching.reversible, watching.alarmed, decision.reported)),
}


def titles() -> tuple[str, ...]:
    """The steps' names."""
    return (
        say("The question, in numbers"),
        say("The data, looked at"),
        say("The comparison, on these data"),
        say("The model, whole and signed"),
        say("The gate, passed, and shut to a worse model"),
        say("The service, measured"),
        say("Watched, reversible, decided"),
    )


def walk(folder: Path) -> Iterator[Step]:
    """What each step came to, as it becomes known. Raises CourseError for a folder that is no capstone.

    Nothing in the folder is changed.
    """
    work = Work(question.read(folder.expanduser()))
    done: set[int] = set()
    for (number, (needs, held)), title in zip(STEPS.items(), titles(), strict=True):
        waits = [one for one in needs if one not in done]
        if waits:
            yield Step(number, title, MISSING, say("It waits for step {first}.", first=waits[0]))
            continue
        try:
            found = " ".join(one(work) for one in held)
        except Open as why:
            yield Step(number, title, why.state, why.found, why.expected, why.command)
        except (CourseError, OSError) as error:  # of a tool, or of this machine: no step foresaw it
            expected = say("The step can be looked at on this machine.")
            yield Step(number, title, CONTRADICTS, str(error), expected, "course doctor")
        else:
            done.add(number)
            yield Step(number, title, DONE, found)
