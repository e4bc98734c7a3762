"""The one kind of error whose message is written for the reader."""

from course_utils.language import say


class CourseError(Exception):
    """An error that says, in one sentence or two, what was wrong, what was expected and what to do.

    The ``course`` command prints the message without a traceback and exits with status 2; in a notebook
    IPython shows the message alone (the hook ``_render_traceback_``), because the lines of the helper
    package would tell a learner nothing.
    """

    status = 2  # with which the command ends

    def _render_traceback_(self) -> list[str]:
        from course_utils import console

        return [f"{type(self).__name__}: {console.message(str(self))}"]


class NetworkError(CourseError):
    """What could not be had over a network; ``course run`` tells it from a chapter's own failure."""


class NotKept(CourseError):
    """What was done and could not be written, the disk being full, say; ``otherwise`` is the status had it been."""

    def __init__(self, message: str, *, otherwise: int = 0) -> None:
        super().__init__(message)
        self.status = otherwise or 4


def did_you_mean(name: str, known: list[str]) -> str:
    """`` Did you mean …?`` for an unknown name (one sentence, leading space); "" where no known name is near."""
    import difflib

    close = difflib.get_close_matches(str(name).lower(), [k.lower() for k in known], n=3, cutoff=0.5)
    matches = [k for k in known if k.lower() in close]
    return " " + say("Did you mean {names}?", names=say(" or ").join(matches)) if matches else ""


def near_misses(name: str, known: list[str]) -> str:
    """`did_you_mean`, else a list of the known names (one sentence, leading space)."""
    listed = " " + say("Known: {names}.", names=", ".join(known)) if known else ""
    return did_you_mean(name, known) or listed


def warn(message: str) -> None:
    """Print one line to standard error, for what a reader must know and nothing else."""
    from course_utils import console

    console.write(f"course: {console.message(message)}", error=True)
