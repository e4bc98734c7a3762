"""What a model has to keep before it is shipped: numbers with defaults, and a reason for each default."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd

_SHARES = ("min_macro_f1", "min_accuracy", "min_slice", "max_changed", "max_difference", "max_differing")


def _limit(default: float | bool | None, because: str) -> Any:
    return dataclasses.field(default=default, metadata={"because": because})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """The limits. None takes a limit away (the number is told, not judged), where the reason says nothing else.

    ``Target.reasons()`` is a table of the defaults and why they are what they are. Raises CourseError for a number that
    cannot be meant.
    """

    max_mb: float | None = _limit(100.0, "Megabytes on the disk, the encoder included: what GitHub takes as one file.")
    max_ms: float | None = _limit(
        100.0,
        "Milliseconds of 99 in 100 single answers: below a tenth of a second an answer seems immediate (R. B. Miller "
        "(1968), Response time in man-computer conversational transactions).",
    )
    max_mib: float | None = _limit(
        1024.0, "MiB of the answering process at its peak: the smallest machines for rent have one or two GiB."
    )
    min_macro_f1: float | None = _limit(
        None, "None: better than always naming the commonest class, which needs no model."
    )
    min_accuracy: float | None = _limit(None, "None: told, not judged; macro-F1 counts the rare classes as much.")
    min_slice: float | None = _limit(
        0.5, "In no class, channel, language or length may the model be wrong more often than right."
    )
    max_changed: float | None = _limit(
        None, "None: each test has its own, 2 % where nothing changes for a reader, 5 % where a little does."
    )
    max_difference: float | None = _limit(
        1e-4, "Of probabilities, in parity: ten times what float32 loses when it adds in another order."
    )
    max_differing: float | None = _limit(0.01, "Share of other answers, in parity: what an int8 version may cost.")
    false_alarms: float = _limit(0.05, "The chance that a model which keeps every limit is refused by bad luck.")
    strict: bool = _limit(False, "Few examples prove little: what is not shown is said, and does not refuse.")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None or field.name == "strict":
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if field.name == "false_alarms":
                if not (number and 0 < value < 1):
                    self._refuse(field.name, value, say("a share between 0 and 1"))
            elif field.name in _SHARES:
                if not (number and 0 <= value <= 1):
                    self._refuse(field.name, value, say("a share from 0 to 1"))
            elif not (number and value > 0):
                self._refuse(field.name, value, say("a number above 0"))

    def _refuse(self, name: str, value: object, expected: str) -> None:
        raise CourseError(
            say("The target {name} is {value!r}; expected: {expected}.", name=name, value=value, expected=expected)
        )

    @classmethod
    def reasons(cls) -> "pd.DataFrame":
        """Each limit, its default, and the reason for it."""
        import pandas as pd

        rows = [(one.name, one.default, say(one.metadata["because"])) for one in dataclasses.fields(cls)]
        return pd.DataFrame(rows, columns=["limit", "default", "because"]).astype({"default": object})
