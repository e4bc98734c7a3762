"""Spellings and sounds as rows of numbers, and the edit distance: the plumbing of chapter 14's translation."""

from collections.abc import Mapping, Sequence

import numpy as np

from course_utils.errors import CourseError


def letters(words: Sequence[str], width: int = 0) -> np.ndarray:
    """Words of a to z as int (words, places): 1 to 26, then zeros, at least one; not fewer places than ``width``."""
    if not all(word.isascii() and word.isalpha() and word.islower() for word in words):
        raise CourseError("A word here has letters from a to z alone, at least one; change or leave out the others.")
    rows = np.zeros((len(words), max([width, *(len(word) + 1 for word in words)])), np.int32)
    for row, word in zip(rows, words, strict=True):
        row[: len(word)] = np.frombuffer(word.encode(), np.uint8) - 96
    return rows


def pairs(
    words: Sequence[str], listed: Mapping[str, Sequence[tuple]], alphabet: Sequence[str], width: int
) -> tuple[np.ndarray, np.ndarray]:
    """A row for each word and each of its pronunciations: letters, and sounds (numbers of ``alphabet`` from 1 on).

    Left out is what has more than two sounds a letter, as abbreviations have, or does not leave one place free.
    """
    number = {sound: k for k, sound in enumerate(alphabet, 1)}
    both = [(word, way) for word in words for way in listed[word]]
    both = [(word, way) for word, way in both if len(way) <= 2 * len(word) and max(len(word), len(way)) < width]
    sounds = np.zeros((len(both), width), np.int32)
    for row, (_, way) in zip(sounds, both, strict=True):
        row[: len(way)] = [number[sound] for sound in way]
    return letters([word for word, _ in both], width), sounds


def edits(one: Sequence, other: Sequence) -> int:
    """The fewest elements that are changed, added or left out between two sequences (Levenshtein's distance)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one):
        old, row = row, [i + 1]
        for j, b in enumerate(other):
            row.append(min(old[j] + (a != b), old[j + 1] + 1, row[j] + 1))
    return row[-1]
