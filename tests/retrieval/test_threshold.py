"""What a threshold shows: one chosen and shown on the same questions shows too much, one shown on others does not.

A flat truth, where every threshold is as good as every other and just misses what it would be said to show: whoever
says "shown" is wrong, and may be so in 2.5 of 100 worlds, the lower end of a 95 % interval.
"""

import functools

import numpy as np

from course_utils.exercises.chapter_13 import answer_from

GOAL, QUESTIONS, WORLDS = 0.9, 300, 300


@functools.cache
def said_shown(split: bool) -> float:
    """The share of worlds in which a threshold is returned; with ``split`` half of the questions choose, half show."""
    dice, shown = np.random.default_rng(13), 0
    for _ in range(WORLDS):
        sure, hit = dice.random(QUESTIONS), dice.random(QUESTIONS) < GOAL
        half = QUESTIONS // 2
        first = (sure[:half], hit[:half]) if split else (sure, hit)
        later = (sure[half:], hit[half:]) if split else (sure, hit)
        shown += answer_from(first, later, GOAL) < np.inf
    return shown / WORLDS


def test_chosen_and_shown_on_the_same_questions_it_is_wrong_too_often():
    assert said_shown(split=False) > 0.07


def test_shown_on_other_questions_it_is_not():
    assert said_shown(split=True) < 0.03


def test_what_is_truly_better_is_shown():
    dice = np.random.default_rng(13)
    sure = dice.choice([0.9, 0.8, 0.2], 2_000)
    hit = dice.random(2_000) < np.where(sure > 0.5, 0.98, 0.3)
    assert answer_from((sure[:1_000], hit[:1_000]), (sure[1_000:], hit[1_000:]), GOAL) == 0.8
