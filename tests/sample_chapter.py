"""A tiny chapter that keeps every rule, and helpers that write it into a checkout of its own."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from course_utils.authoring import sources
from course_utils.chapters import Chapter, read_chapter

HEADER = """\
# ---
# jupyter:
#   course:
#     chapter: "42"
#     title: A tiny chapter
#     requires: []
#     needs: {quick: [], full: []}
#     budget: {seconds: 30, memory_mib: 512}
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3 (ipykernel), language: python, name: python3}
# ---

"""

GOOD = (
    HEADER
    + '''\
# %% [markdown]
# # 42 · A tiny chapter
#
# You count to three and know why.
#
# *Hardware: any computer · Needs: nothing*

# %% [markdown]
# ## You will be able to
#
# * count to one;
# * count to two;
# * count to three.

# %% tags=["parameters"]
profile = None
seed = 0

# %% [markdown]
# ### Setup

# %% tags=["nbval-ignore-output"]
from course_utils import check, figures, setup

course = setup("42", profile=profile, seed=seed, framework=False)

# %% [markdown]
# ## The question
#
# How many are three? The colour of the answer does not matter; `color="red"` is code.

# %%
1 + 2

# %% [markdown]
# ## 1 · Counting
#
# One, two and $n$ of them, see [the page on counting](https://example.org/counting).
#
# <details><summary>Answer</summary>
#
# Three.
#
# </details>

# %%
figures.image_grid([[0]], alt="a black dot")

# %% [markdown]
# A single dot.

# %% [markdown]
# ## Exercises
#
# Each is checked at once.

# %% [markdown]
# ### Exercise 42-1 · Three
# *recall · 5 minutes*
#
# How many?

# %% exercise="42-1"
### BEGIN SOLUTION
helper = 1 + 1
answer = helper + 1
### END SOLUTION
check("42-1", answer)

# %% [markdown]
# ### Exercise 42-2 · Successor
# *extend · 1 minute*
#
# Write it.

# %% exercise="42-2"
def successor(number):
    """int -> int"""
    ### BEGIN SOLUTION
    result = number + 1
    return result
    ### END SOLUTION


check("42-2", successor)

# %% [markdown]
# ## Recap
#
# * One.
# * Two.
# * Three.

# %% [markdown]
# ## Limits and next
#
# Four is left out.
#
# **Sources.** A. Author, "The color of numbers", *Journal of Modeling* 1 (1998), 1–2.
'''
)

REGISTERED = {
    "42-1": SimpleNamespace(title="Three", kind="recall", minutes=5),
    "42-2": SimpleNamespace(title="Successor", kind="extend", minutes=1),
}


def write_chapter(root: Path, text: str = GOOD, name: str = "42_a_tiny_chapter") -> Path:
    """Write a source into ``root``/notebooks/source and return its path."""
    path = root / "notebooks" / "source" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def chapter(root: Path, text: str = GOOD, name: str = "42_a_tiny_chapter") -> Chapter:
    return read_chapter(write_chapter(root, text, name))


def replaced(old: str, new: str, text: str = GOOD) -> str:
    """``text`` with ``old`` replaced once; fails when it does not occur, so that no test goes blind."""
    if old not in text:
        raise AssertionError(f"{old!r} is not in the sample")
    return text.replace(old, new, 1)


@pytest.fixture
def registered(monkeypatch):
    """The sample's exercises, as if course_utils.exercises had checks for them."""
    known = dict(REGISTERED)
    monkeypatch.setattr(sources, "registered_exercises", lambda number: known if number == "42" else {})
    return known
