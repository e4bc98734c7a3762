"""The exercises of chapter 06: their references against other ways, and what right and wrong answers cannot show."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from course_utils.exercises import chapter_06


def test_the_distance_has_no_bias():
    random = np.random.default_rng(0)
    drawn = [chapter_06.kid(*random.normal(size=(2, 10, 4))) for _ in range(3000)]
    assert abs(np.mean(drawn)) < 4 * np.std(drawn) / math.sqrt(len(drawn))


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 60))
def test_the_effective_number_lies_between_one_and_the_covered_modes(seed, k, n):
    random = np.random.default_rng(seed)
    centres = np.column_stack([10.0 * np.arange(k), np.zeros(k)])
    which = random.integers(k, size=n)
    value = chapter_06.effective_modes(centres[which], centres, 1.0)
    assert 1 - 1e-9 <= value <= len(np.unique(which)) + 1e-9
