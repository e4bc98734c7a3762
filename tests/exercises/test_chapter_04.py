"""The exercises of chapter 04: their references against other ways, and what right and wrong answers cannot show."""

from answers_04 import plan_by_counting
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_04


@settings(max_examples=100, deadline=None)
@given(*(st.integers(low, high) for low, high in ((8, 40), (1, 4), (1, 5), (1, 5), (0, 3), (1, 4), (1, 2))))
def test_the_reference_plan_counts_places(n, k, c_in, c_out, p, s, d):
    given_ = (n, k, c_in, c_out, p, s, d)
    assert list(chapter_04.plan(*given_)) == plan_by_counting(*given_)
