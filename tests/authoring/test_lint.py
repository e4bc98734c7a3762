"""Every rule of the lint: it fires on what it is for, and leaves a good chapter alone."""

import pytest
from sample_chapter import GOOD, chapter, registered, replaced  # noqa: F401 (registered is a fixture)

from course_utils.authoring.lint import RULES, lint_chapters

WARNINGS = {"median-cell"}
SIDE = '# %% [markdown] road="side"\n'
# rule, what to replace in the good chapter, by what, and a part of the message
BAD = [
    ("title", "# # 42 · A tiny chapter", "# # 42: A tiny chapter", 'first line is "# 42 · A tiny chapter"'),
    ("title", "# ## 1 · Counting", "# # Counting", "second title"),
    ("byline", "# *Hardware", "# Hardware", '"*Hardware: two cores, 0.5 GiB · Needs: nothing*"'),
    ("byline", " · Needs: nothing*", "*", "two parts"),
    ("byline", "Needs: nothing", "Needs: chapter 07", "the header requires none; the line names 07"),
    ("byline", "# You count to three and know why.\n#\n", "", "one sentence of promise"),
    ("goals", "# * count to one;\n", "", "2 goals; set three to five"),
    ("goals", "# ## You will be able to\n", "# ### You will be able to\n", "is missing"),
    ("parameters", '# %% tags=["parameters"]', '# %% tags=["nbval-skip"]', "0 cells are tagged parameters"),
    ("parameters", "seed = 0", "seed = 1", 'must say "profile = None" and "seed = 0"'),
    ("parameters", "profile = None\n", "", 'must say "profile = None"'),
    ("setup", "course = setup(", "course = set_up(", "the setup cell is missing"),
    ("setup", 'setup("42", profile=profile', 'setup("41", profile=profile', 'setup("42", profile=profile, seed=seed)'),
    ("setup", "profile=profile, seed=seed", 'profile="full", seed=seed', "so that a run can choose"),
    ("setup", "# %%\n1 + 2", '# %%\nsetup("42", profile=profile, seed=seed)', "a second cell calls setup"),
    ("setup", "course = setup", "import os\n" * 12 + "course = setup", "14 lines; at most 12"),
    ("sections", "# ## 1 · Counting", "# ## 2 · Counting", "should have the number 1"),
    ("sections", "# ## 1 · Counting", "# ## Counting", 'write "## 1 · Counting"'),
    ("sections", "# ## The question", "# ## 2 · The question", "should have the number 1"),
    ("sections", "# ## The question", "# ### The question", '"## The question" is missing'),
    ("sections", "# ## 1 · Counting", "# ### Counting", "numbered sections are missing"),
    ("sections", "# ## The question", "# ## Recap", 'stands after "## Recap"'),
    (
        "prose-first",
        '# How many are three? The colour of the answer does not matter; `color="red"` is code.\n',
        "# ### Again\n",
        "straight into code",
    ),
    ("adjacent-code", "# %% [markdown]\n# A single dot.\n", "# %%\nfigures\n", "two code cells stand together"),
    ("long-cell", "1 + 2", "\n".join(f"number_{i} = {i}" for i in range(26)), "26 lines of code"),
    ("figure-finding", "# A single dot.", "# ### A dot", "a figure without its finding"),
    ("details", "# </details>\n", "", "1 <details> and 0 </details>"),
    ("details", "<summary>Answer</summary>", "Answer", "<details> without <summary>"),
    ("details", "</summary>\n#\n", "</summary>\n", "leave a line empty"),
    ("shell", "1 + 2", "!ls", "no shell and no installs"),
    ("shell", "1 + 2", "%pip install nothing", "no shell and no installs"),
    ("claim-literal", "1 + 2", 'claims.record("c01", verdict="wrong", evidence="e")', "not measured; compute it"),
    ("claim-literal", "1 + 2", 'if 1:\n    claims.record("c01", "holds", "e")', 'the verdict "holds" is written down'),
    ("star-import", "1 + 2", "from math import *", "from math import * hides"),
    ("absolute-path", "1 + 2", 'open("/home/somebody/digits.csv")', "a path of one machine"),
    ("absolute-path", "# A single dot.", "# Look into `C:\\Users\\somebody`.", "a path of one machine"),
    ("placeholder", "# A single dot.", "# A single dot. TODO: two.", "TODO: finish it"),
    ("alt-text", "# A single dot.", "# ![](dot.png)", "an image without alt text"),
    ("alt-text", "# A single dot.", '# <img src="dot.png" alt="">', "an image without alt text"),
    ("spelling", "# A single dot.", "# A single gray dot.", "the course spells it grey"),
    ("spelling", "# A single dot.", "# We normalized it.", "the course spells it normalise"),
    ("spelling", "# A single dot.", "# The *color* of a dot.", "the course spells it colour"),
    ("links", "[the page on counting]", "[here]", 'a link whose words are "here"'),
    ("links", "https://example.org", "http://example.org", "use https"),
    ("links", "(https://example.org/counting)", "()", "leads nowhere"),
    ("links", "# A single dot.", "# See https://example.org/dot.", "stands bare"),
    ("exercises", "### Exercise 42-1 · Three", "### Exercise 42-1", 'heading "### Exercise 42-1 · Title"'),
    ("exercises", "*recall · 5 minutes*", "*recall, 5 minutes*", "recall, modify, extend or decide"),
    ("exercises", "*recall · 5 minutes*", "*modify · 5 minutes*", 'check says "Three", recall, 5 minutes'),
    ("exercises", "# ## Exercises\n", "# ## 2 · Exercises\n", 'outside the section "## Exercises"'),
    ("tolerance", "# %%\n1 + 2", '# %% tags=["compare-within=nan"]\n1 + 2', "states no tolerance"),
    (
        "exercises-last",
        "# %% [markdown]\n# ## Recap",
        "# %%\nanswer\n\n# %% [markdown]\n# ## Recap",
        "after the first exercise",
    ),
    ("recap", "# * Three.\n", "", "3 goals were set, the recap answers 2"),
    ("limits", "# **Sources.**", "# See also", "sources are missing"),
    ("limits", "1 (1998)", "1", "the sources have no year"),
    ("needs", "full: []", "full: [no_such_set]", '"no_such_set" is needed, which data/registry.toml does not list'),
    ("median-cell", "1 + 2", "", ""),
    ("main-road", "# A single dot.", "# " + "word " * 3_001, "the main road has 3,0"),
    ("main-road", "# A single dot.", "# " + "$$ x $$ " * 121, "minutes; at most 60"),
    ("main-road", "1 + 2", "\n".join(f"1 + {k}" for k in range(300)), "lines of code; at most 300"),
    (
        "roads",
        "# %% [markdown]\n# ## 1 · Counting",
        SIDE + "# ## 1 · Counting\n#\n# More.\n#\n# ## Recap",
        "begins a cell of its own",
    ),
    (
        "roads",
        "# %% [markdown]\n# ## 1 · Counting\n",
        SIDE + "# ## 1 · Counting\n\n# %% [markdown]\n",
        "what is to be had",
    ),
    (
        "roads",
        "# A single dot.",
        f"# A dot.\n\n{SIDE}# ## 2 · A\n#\n# B\n\n{SIDE}# ### C\n#\n# D",
        "the outer one, is marked",
    ),
    (
        "main-road-alone",
        "1 + 2",
        f"1 + 2\n\n{SIDE}# ### A\n#\n# B\n\n# %%\nb = 1\n\n# %% [markdown]\n# ### C\n#\n# D\n\n# %%\nb",
        "b is bound on the side road “A” only",
    ),
    (
        "section-needs",
        "1 + 2",
        f"1 + 2\n\n{SIDE}# ### A\n#\n# B\n\n# %%\nb = 1\n\n# %% [markdown]\n# ### C\n#\n# D\n\n# %%\nb".replace(
            'road="side"', 'needs="digits"'
        ),
        "b is bound only where digits can be had",
    ),
    (
        "prediction",
        "# A single dot.",
        "# **Predict first.** What comes?\n\n# %%\n3\n\n# %% [markdown]\n# Three.",
        "begins with <details>",
    ),
    (
        "prediction",
        "# A single dot.",
        "# **Predict first.** What comes?\n\n# %%\nfor one in (3,):\n    assert one\n\n"
        "# %% [markdown]\n# <details><summary>What came</summary>\n#\n# Three.\n#\n# </details>",
        "in a cell after the answer",
    ),
    ("exercise-names", "# %%\n1 + 2", "# %%\ndef answer():\n    return result\n\n\nresult = 1", "the exercise binds"),
    # found while parsing, reported with the rest
    ("syntax", "1 + 2", "1 +", "1 +"),
    ("cell-metadata", "# %%\n1 + 2", "# %% tag=3\n1 + 2", 'unknown metadata "tag"'),
]


def lint(tmp_path, text):
    return lint_chapters([chapter(tmp_path, text)])


def test_a_good_chapter_has_no_problems(tmp_path, registered):  # noqa: F811
    assert [str(problem) for problem in lint(tmp_path, GOOD)] == []


def test_every_rule_is_tested():
    assert {name for name, *_ in BAD} >= set(RULES)


def bad(name, old, new):
    if name == "median-cell":
        return (
            GOOD.replace("# %%\n", "# %%\n" + "".join(f"v{i} = {i}\n" for i in range(15)))
            .replace("helper = 1 + 1\n", "".join(f"helper = {i}\n" for i in range(20)))
            .replace("    result = number + 1\n", "".join(f"    result = number + {i}\n" for i in range(20)))
        )
    return replaced(old, new)


@pytest.mark.parametrize(("name", "old", "new", "message"), BAD, ids=lambda value: str(value)[:30])
def test_a_rule_fires(tmp_path, registered, name, old, new, message):  # noqa: F811
    found = [problem for problem in lint(tmp_path, bad(name, old, new)) if problem.rule == name]
    assert any(message in problem.message for problem in found), found
    lines = bad(name, old, new).splitlines()
    assert all(1 <= problem.line <= len(lines) for problem in found)
    assert all(problem.level == ("warning" if name in WARNINGS else "error") for problem in found)


def test_the_line_is_the_line_of_the_source(tmp_path, registered):  # noqa: F811
    text = replaced("# A single dot.", "# A single dot.\n#\n# And a gray one.")
    (problem,) = lint(tmp_path, text)
    assert text.splitlines()[problem.line - 1] == "# And a gray one."
    assert f"{problem.path.name}:{problem.line}: spelling: " in str(problem)


def test_a_line_in_code_is_the_line_of_the_source(tmp_path, registered):  # noqa: F811
    text = replaced("1 + 2", "1 + 2\n\nfrom math import *")
    (problem,) = lint(tmp_path, text)
    assert text.splitlines()[problem.line - 1] == "from math import *"


def test_a_cell_can_be_let_off_one_rule(tmp_path, registered):  # noqa: F811
    text = replaced("# %%\n1 + 2", '# %% tags=["lint-skip-star-import"]\nfrom math import *')
    assert lint(tmp_path, text) == []
    (problem,) = lint(tmp_path, text.replace("lint-skip-star-import", "lint-skip-shell"))
    assert problem.rule == "star-import"
    assert '"lint-skip-star-import"' in problem.message


@pytest.mark.parametrize(
    "prose",
    [
        "`normalize` and ```color``` are code.",
        "$color = 1$ is mathematics.",
        '<span style="color: red">Red</span>.',
        "[The palette](https://example.org/color-normalized) has seven.",
        "Colourful, normalised, centred, neighbouring, greyish, programs, prize, size, capsize.",
        "A favourite behaviour of analysts; a collarbone.",
    ],
)
def test_spelling_leaves_code_and_british_words_alone(tmp_path, registered, prose):  # noqa: F811
    assert lint(tmp_path, replaced("# A single dot.", f"# {prose}")) == []


@pytest.mark.parametrize(
    "text",
    [
        replaced("1 + 2", 'figure = figures.image_grid([[0]], alt="x")\ndisplay(figure)'),
        replaced("1 + 2", 'figure = figures.image_grid([[0]], alt="x")\nfigure'),
        replaced("1 + 2", 'display(figures.image_grid([[0]], alt="x"))'),
    ],
)
def test_figures_are_recognised_however_they_are_shown(tmp_path, registered, text):  # noqa: F811
    assert [problem.rule for problem in lint(tmp_path, text)] == ["figure-finding"]


def test_a_marked_colab_cell_may_install(tmp_path, registered):  # noqa: F811
    cell = 'import os\n\nif os.environ.get("COLAB_NOTEBOOK_ID"):\n    %pip install -q --no-deps nothing'
    text = replaced("# %%\n1 + 2", f'# %% tags=["colab"]\n{cell}')
    assert [problem.rule for problem in lint(tmp_path, text)] == []
    assert [problem.rule for problem in lint(tmp_path, text.replace('tags=["colab"]', ""))] == ["shell"]


def test_check_and_record_may_follow_their_code(tmp_path, registered):  # noqa: F811
    text = replaced("# %%\n1 + 2\n", '# %%\n1 + 2\n\n# %%\nclaims.record("c01", verdict=verdict, evidence="1")\n')
    assert lint(tmp_path, text) == []


@pytest.mark.parametrize(
    "verdict", ['"holds" if 1 + 1 == 2 else "wrong"', '{True: "holds"}.get(seen, "wrong")', "verdict", "judge('holds')"]
)
def test_a_computed_verdict_is_no_literal(tmp_path, registered, verdict):  # noqa: F811
    for given in (f"verdict={verdict}", verdict):
        call = f'claims.record("c01", evidence="2", {given})' if "=" in given[:8] else f'claims.record("c01", {given})'
        assert lint(tmp_path, replaced("1 + 2", call)) == []


@pytest.mark.parametrize("requires", ["[]", '["00"]', '["00", "07"]', '["00", "06", "07"]'])
def test_the_byline_that_the_lint_offers_is_one_that_it_takes(tmp_path, registered, requires):  # noqa: F811
    header = GOOD.replace("requires: []", f"requires: {requires}")
    old = "# *Hardware: any computer · Needs: nothing*"
    (problem,) = [p for p in lint(tmp_path, replaced(f"{old}\n", "#\n", header)) if p.rule == "byline"]
    offered = problem.message.split('"')[1]
    assert lint(tmp_path, replaced(old, f"# {offered}", header)) == []


def test_headings_in_code_fences_are_no_headings(tmp_path, registered):  # noqa: F811
    assert lint(tmp_path, replaced("# A single dot.", "# A dot:\n#\n# ```\n# ## Not a section\n# ```")) == []


def test_a_chapter_without_cells(tmp_path):
    from sample_chapter import HEADER

    (problem,) = lint(tmp_path, HEADER)
    assert problem.rule == "title"
