"""When messages came: a column of dates as people and programs write them, read in one way or refused."""

from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd


def read(written: "pd.Series", path: Path, column: str) -> "pd.Series":
    """Dates as text → times in UTC, by which rows can be ordered.

    ISO 8601 (2026-10-13, 2026-10-13T08:30+02:00), or day and month in one order that fits every row. Raises CourseError
    for what is no date, and where both orders fit and give another sequence.
    """
    import pandas as pd

    iso = _parsed(written, format="ISO8601")
    if iso.notna().all():
        return iso
    ways = [
        found for first in _orders(written) if (found := _parsed(written, format="mixed", dayfirst=first)).notna().all()
    ]
    if not ways:
        known = _parsed(written, format="mixed")
        bad = written[known.isna()] if known.isna().any() else written
        raise CourseError(
            say(
                "{file}: {value!r} in {column!r} is no date that can be read; write dates as 2026-10-13.",
                file=paths.display(path),
                value=str(bad.iloc[0])[:60],
                column=column,
            )
        )
    if len(ways) == 2 and not ways[0].rank().equals(ways[1].rank()):
        raise CourseError(
            say(
                "{file}: the dates in {column!r} ({value!r}, say) can be read with the day or the month first; write "
                "them as 2026-10-13.",
                file=paths.display(path),
                column=column,
                value=str(written.iloc[0])[:60],
            )
        )
    return pd.Series(ways[0], index=written.index)


def _orders(written: "pd.Series") -> list[bool]:
    """Whether the day may come first: the orders that no row with two small numbers in front contradicts."""
    pairs = written.str.extract(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d").dropna().astype(int)
    return [day for day, month in ((False, pairs[0]), (True, pairs[1])) if (month <= 12).all()]


def _parsed(written: "pd.Series", **how: object) -> "pd.Series":
    import warnings

    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns where it is told an order that a row cannot have
        return pd.to_datetime(written, utc=True, errors="coerce", **how)
