"""What the build makes of roads: minutes by the formula, the list in the head, closed cells; the main road alone."""

import re

import pytest
from sample_chapter import GOOD, chapter, registered, replaced  # noqa: F401 (registered is a fixture)

from course_utils.authoring import editions, reading_time, routes, sources, standalone
from course_utils.errors import CourseError

SIDE = '# %% [markdown] road="side"\n'
PROOF = (
    f"# A single dot.\n\n{SIDE}# ## 2 · The proof\n#\n# Why three, in sixty words: {'word ' * 55}\n\n"
    "# %%\nproof = 3\n\n# %% [markdown]\n# Proved.\n"
)


def with_proof(**more):
    text = GOOD.replace("# A single dot.\n", PROOF, 1)
    for old, new in more.items():
        text = text.replace(old, new)
    return text


def read(tmp_path, text):
    return sources.read(chapter(tmp_path, text))


def cell_of(notebook, begins):
    return next(cell for cell in notebook.cells if cell.source.startswith(begins))


# ---- the formula


def test_the_formula_with_pencil_and_paper(tmp_path, registered):  # noqa: F811
    words = "word " * 300 + "$$ a = b $$ and $c$, $d$ and `code`"
    body = "\n".join(f"x{k} = {k}" for k in range(24))
    text = f"# %% [markdown]\n# {words}\n\n# %%\n# a comment is read, not counted\n{body}\n"
    cells = read(tmp_path, GOOD.replace("# %%\n1 + 2\n", text, 1)).cells
    before = read(tmp_path, replaced("# %%\n1 + 2\n", "")).cells
    found, without = reading_time.of(cells).main, reading_time.of(before).main
    assert found.words - without.words == 300 + 2 + 1  # "and" twice, and the code as one word
    assert found.lines - without.lines == 24
    assert (found.displayed - without.displayed, found.formulas - without.formulas) == (1, 2)
    assert (found.exercises, found.exercise_minutes) == (2, 6)
    load = reading_time.Load(words=300, lines=24, displayed=2, formulas=20, exercises=1, exercise_minutes=5)
    assert load.minutes == 2 + 2 + 1 + 1 + 5


def test_an_exercise_counts_by_what_it_states_and_nothing_else(tmp_path, registered):  # noqa: F811
    short = reading_time.of(read(tmp_path, GOOD).cells).main
    long = reading_time.of(read(tmp_path, replaced("# How many?", "# " + "How many? " * 500)).cells).main
    assert short == long


def test_anything_takes_a_minute_and_nothing_none():
    assert reading_time.Load(words=1).minutes == 1 and reading_time.Load().minutes == 0


# ---- sections that stand on a data set


NEEDY = '# A single dot.\n\n# %% [markdown] needs="films"\n# ## 2 · Films\n#\n# A few.\n\n# %%\nfilms = 3\n\n'
AFTER = "# %% [markdown]\n# ## 3 · After\n#\n# The end.\n\n# %%\nWHAT\n\n# %% [markdown]\n# Done.\n"


@pytest.mark.parametrize(
    ("what", "found"),
    [("films + 1", 1), ("films = 4", 0), ("films = 4\nfilms + 1", 0), ("def f():\n    return films", 1)],
)
def test_nothing_outside_needs_what_a_section_with_data_binds(tmp_path, registered, what, found):  # noqa: F811
    made = read(tmp_path, GOOD.replace("# A single dot.\n", NEEDY + AFTER.replace("WHAT", what), 1))
    problems = list(standalone.problems_without_data(made.cells))
    assert len(problems) == found
    assert all(
        words == "films is bound only where films can be had; it is needed here without." for _, words in problems
    )
    learner = editions.learner_edition(made)
    assert cell_of(learner, "## 2 · Films").metadata["needs"] == "films"


def test_a_need_stands_on_a_heading(tmp_path, registered):  # noqa: F811
    made = read(tmp_path, GOOD.replace("# A single dot.\n", NEEDY.replace("# ## 2 · Films", "# Films"), 1))
    assert any(problem.rule == "needs" for problem in made.problems)


# ---- the editions


def test_a_side_road_is_closed_listed_and_left_out_of_the_main_minutes(tmp_path, registered):  # noqa: F811
    whole, split = read(tmp_path, GOOD), read(tmp_path, with_proof())
    roads = reading_time.of(split.cells)
    assert roads.main.minutes == reading_time.of(whole.cells).main.minutes
    assert [(road.title, road.load.minutes) for road in roads.side] == [("2 · The proof", 1)]
    notebook = editions.learner_edition(split)
    head = cell_of(notebook, "## 2 · The proof")
    assert head.metadata["jp-MarkdownHeadingCollapsed"] is True and head.metadata["road"] == "side"
    lines = head.source.split("\n")
    assert lines[2] == '<a id="2-the-proof"></a>*Side road · 1 min · skip to [Exercises](#exercises)*' and lines[
        4
    ].startswith("Why three")
    assert '<a id="exercises"></a>' in cell_of(notebook, "## Exercises").source
    assert "[2 · The proof](#2-the-proof) (1 min)" in cell_of(notebook, "## You will be able to").source
    assert re.search(
        r"\*Time: \d+ minutes, exercises included; 1 more on side roads · Hardware", notebook.cells[0].source
    )
    assert notebook.metadata["course"]["minutes"] == {"main": roads.main.minutes, "side": 1}


def test_without_side_roads_the_head_says_the_time_only(tmp_path, registered):  # noqa: F811
    notebook = editions.learner_edition(read(tmp_path, GOOD))
    assert "side road" not in "".join(cell.source for cell in notebook.cells).lower()
    assert "*Time: " in notebook.cells[0].source


def test_what_answers_a_prediction_is_closed_and_so_are_bare_asserts(tmp_path, registered):  # noqa: F811
    more = (
        "# A dot. **Predict first.** How many?\n\n# %%\n1 + 1\n\n# %% [markdown]\n# So.\n\n"
        "# %%\nassert 1 + 1 == 2\nfor k in (1, 2):\n    assert k"
    )
    text = GOOD.replace("# A single dot.", more, 1)
    notebook = editions.learner_edition(read(tmp_path, text))
    assert cell_of(notebook, "1 + 1").metadata["jupyter"] == {"outputs_hidden": True}
    assert cell_of(notebook, "assert 1").metadata["jupyter"] == {"source_hidden": True}
    assert "jupyter" not in cell_of(notebook, "1 + 2").metadata


# ---- on its own


def needs(tmp_path, *cells):
    """The problems of a chapter of cells (road or None, heading or None, code)."""
    text = GOOD[: GOOD.index("# %% [markdown]\n# ## 1 · Counting")]
    for number, (side, code) in enumerate(cells, 1):
        mark = SIDE if side else "# %% [markdown]\n"
        text += f"{mark}# ## {number} · Part {number}\n#\n# Words.\n\n# %%\n{code}\n\n"
    return [message for _, message in standalone.problems(read(tmp_path, text).cells)]


@pytest.mark.parametrize(
    ("side", "main"),
    [
        ("b = 1", "b"),
        ("b = 1", "def f():\n    return b"),
        ("def b():\n    return 1", "b()"),
        ("import json", "json.dumps(1)"),
        ("for b in (1, 2):\n    pass", "[b for _ in (1, 2)]"),
        ("b = 1", "c = b\nb = 2"),
        ("b = [1]", "for b in b:\n    print(b)"),
        ("b = 1", "def f():\n    return b\n\n\nf()"),
    ],
)
def test_a_name_that_only_a_side_road_binds_is_found(tmp_path, registered, side, main):  # noqa: F811
    (message,) = needs(tmp_path, (False, "a = 1"), (True, side), (False, main))
    assert "is bound on the side road “2 · Part 2” only" in message


@pytest.mark.parametrize("side", ["a = 2", "a[0] = 2", "a.x = 2", "a += 1", "del a[0]", "a['k'].y[0] -= 1"])
def test_what_a_side_road_changes_is_found(tmp_path, registered, side):  # noqa: F811
    (message,) = needs(tmp_path, (False, "a = object()"), (True, side), (False, "print(a)"))
    assert "a is changed on the side road “2 · Part 2”" in message


@pytest.mark.parametrize(
    ("side", "main"),
    [
        ("b = 1", "b = 2\nb"),  # its own
        ("b = a", "a"),  # read, not changed
        ("a = 2", "a = 3\na"),  # bound again before it is read
        ("def f(a):\n    a[0] = 1", "a"),  # a parameter
        ("def f():\n    a = 1", "a"),  # a local name
        ("b = 1", "[b for b in (1, 2)]"),  # the comprehension's own
        ("b = 1", "def f(b):\n    return b"),
        ("b = 1", "def f():\n    return b\n\n\nb = 2"),
        ("b = 1", "len('b')"),
        ("b = 1", "for b in a:\n    print(b)"),
        ("b = 1", "for _, b in enumerate(a):\n    print(f'{b}')"),
        ("b = 1", "with open('x') as b:\n    print(b)"),
    ],
)
def test_what_is_the_main_roads_own_is_no_problem(tmp_path, registered, side, main):  # noqa: F811
    assert needs(tmp_path, (False, "a = [1]"), (True, side), (False, main)) == []


def test_one_side_road_may_need_another(tmp_path, registered):  # noqa: F811
    assert needs(tmp_path, (True, "b = 1"), (True, "b"), (False, "1")) == []


# ---- routes


def test_routes_sum_the_minutes_of_their_roads(tmp_path):
    known = {"00": {"main": 30, "all": 60}, "01": {"main": 60, "all": 120}, "07": {"main": 30, "all": 61}}
    found = [
        routes.Route("a founder", "decide", ("00", "01", "07"), "main"),
        routes.Route("you", "know", ("01",), "all"),
    ]
    rows = routes.table(found, known).splitlines()
    assert rows[2] == "| a founder | decide | the main roads of 00, 01, 07 | 2 |"
    assert rows[3] == "| you | know | all roads of 01 | 2 |"
    with pytest.raises(CourseError, match="names chapters that do not exist: 99"):
        routes.table([routes.Route("x", "y", ("99",), "main")], known)


def test_the_routes_of_the_course_can_be_read():
    from pathlib import Path

    found = routes.read(Path(__file__).parents[2] / "data" / "routes.toml")
    assert len(found) >= 3 and {route.roads for route in found} == {"main", "all"}
