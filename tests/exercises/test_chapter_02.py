"""The exercises of chapter 02: their references against other ways, and what right and wrong answers cannot show."""

import numpy as np
from answers_02 import by_scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.exercises import chapter_02


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 8), st.floats(0.05, 20), st.floats(-3, 3))
def test_the_reference_log_softmax_agrees_with_scipy(seed, rows, classes, temperature, size):
    Z = np.random.default_rng(seed).normal(size=(rows, classes)) * 10**size
    np.testing.assert_allclose(chapter_02.log_softmax(Z, temperature), by_scipy(Z, temperature), rtol=1e-9, atol=1e-12)
