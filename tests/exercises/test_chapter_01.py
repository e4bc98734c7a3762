"""The exercises of chapter 01: their references against other ways, and what right and wrong answers cannot show."""

import numpy as np
from answers_01 import RIGHT_COUNT, C, D, L, V
from hypothesis import given
from hypothesis import strategies as st

from course_utils.exercises import chapter_01, find


def test_the_count_is_that_of_the_parts_by_hand():
    attention = 4 * (D * D + D)
    feed_forward = (D * 4 * D + 4 * D) + (4 * D * D + D)
    block = attention + feed_forward + 2 * (D + D)
    assert L * block + V * D + C * D + 2 * D == find("01-1").judge.expected == RIGHT_COUNT


@given(*[st.integers(0, 1_000)] * 4)
def test_the_reference_is_what_the_costs_themselves_say(fixed_a, each_a, fixed_b, each_b):
    volume = chapter_01.break_even(fixed_a, each_a, fixed_b, each_b)

    def cheaper(v):
        return fixed_b + each_b * v < fixed_a + each_a * v

    if volume == np.inf:
        assert not cheaper(10**7)
    else:
        assert cheaper(volume + 1)
        assert volume == 0 or not cheaper(volume - 1e-3)
