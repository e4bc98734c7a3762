"""Dates as people write them: read in one way, or refused in one sentence."""

from pathlib import Path

import pandas as pd
import pytest

from course_utils.data import times
from course_utils.errors import CourseError


def read(*written):
    return times.read(pd.Series(written), Path("own.csv"), "created")


@pytest.mark.parametrize(
    ("written", "order"),
    [
        (["2026-10-13", "2026-09-01", "2027-01-01"], [1, 0, 2]),
        (["2026-10-13T08:30:00+02:00", "2026-10-13T07:00:00Z"], [0, 1]),
        (["2026-10-13 08:30", "2026-10-13 08:29:59"], [1, 0]),
        (["13/10/2026", "01/11/2026"], [0, 1]),  # the day first: there is no month 13
        (["10/13/2026", "09/20/2026"], [1, 0]),
        (["13.10.2026", "2.9.2026"], [1, 0]),
        (["Oct 13, 2026", "3 September 2026"], [1, 0]),
    ],
)
def test_dates_are_put_in_order(written, order):
    assert read(*written).argsort().tolist() == order


def test_dates_that_can_be_read_in_two_orders_are_refused():
    with pytest.raises(
        CourseError, match=r"own.csv: the dates in 'created' \('01/02/2026', say\) can be read with the day"
    ):
        read("01/02/2026", "02/01/2026")
    assert read("01/02/2026", "03/04/2026").argsort().tolist() == [0, 1], "both orders give the same sequence"


@pytest.mark.parametrize("bad", ["yesterday-ish", "2026-13-45", "Q3"])
def test_what_is_no_date_is_named(bad):
    with pytest.raises(
        CourseError, match=f"'{bad}' in 'created' is no date that can be read; write dates as 2026-10-13"
    ):
        read("2026-10-13", bad)
