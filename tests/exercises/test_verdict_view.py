"""How verdicts look: text, HTML, and once in a real kernel."""

import html.parser

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils.exercises import Verdict, check, find, verdict_view

EXERCISE = find("07-3")
WRONG = Verdict(
    "wrong",
    "A <b>bold</b> claim.",
    (("Input of f", "x = array([1])"),),
    'Use `np.where` & "<script>".',
    exercise="07-3",
)


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_what_is_shown_is_escaped_and_well_formed():
    text = verdict_view.as_html(EXERCISE, WRONG)
    assert set(Tags(text).seen) <= {"div", "span", "pre", "code", "strong"}
    assert "<code>np.where</code>" in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(("state", "mark"), [("right", "✓"), ("wrong", "✗"), ("not attempted", "○")])
def test_the_state_is_told_by_a_mark_and_a_word_in_both_forms(state, mark):
    verdict = Verdict(state, exercise="07-3")
    for text in (verdict_view.plain(EXERCISE, verdict), verdict_view.as_html(EXERCISE, verdict)):
        assert mark in text
        assert {"right": "· right", "wrong": "not right yet", "not attempted": "not attempted yet"}[state] in text


def test_right_is_one_line_and_carries_the_score():
    assert (
        verdict_view.plain(EXERCISE, Verdict("right", score="99.61 %"))
        == "✓ Exercise 07-3 · A person decides · right · 99.61 %"
    )


def test_no_background_and_no_text_colour_are_set_so_that_both_themes_can_be_read():
    text = verdict_view.as_html(EXERCISE, WRONG)
    assert "background:none" in text
    assert text.replace("background:none", "").count("background") == 0
    assert "color:#" not in text.split("</span>", 1)[1]


def test_outside_ipython_the_verdict_is_printed_once(capsys):
    check("07-3", lambda p, t: p.argmax(1))
    printed = capsys.readouterr().out
    assert printed.count("Exercise 07-3") == 1
    assert "Hint: The threshold is not used" in printed
    assert all(len(line) <= 100 for line in printed.splitlines())


CELLS = {
    "stub": "from course_utils import check\ndef decide(probabilities, threshold):\n    ...\ncheck('07-3', decide)",
    "wrong": "import numpy as np\ndef decide(p, t):\n    return np.where(p.max(1) > t, p.argmax(1), -1)\n"
    "check('07-3', decide)",
    "error": "def decide(p, t):\n    best = p.argmax(1)\n    return best[p.nothing]\ncheck('07-3', decide)",
    "loop": "def decide(p, t):\n    while True: pass\ncheck('07-3', decide)",
    "right": "def decide(p, t):\n    return np.where(p.max(1) >= t, p.argmax(1), -1)\ncheck('07-3', decide)",
    "middle": "check('07-3', decide)\nprint('after')",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(folder))
        patch.delenv("COURSE_STRICT", raising=False)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS.values()])
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return dict(zip(CELLS, [cell.outputs for cell in notebook.cells], strict=True))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("stub", "not attempted yet"),
        ("wrong", "`>=`"),
        ("error", "at line 3, in decide"),
        ("loop", "did not end within 5 seconds"),
        ("right", "· right"),
    ],
)
def test_a_cell_in_a_kernel_shows_its_verdict_exactly_once(outputs, cell, said):
    (output,) = outputs[cell]
    assert output.output_type == "display_data"
    assert set(output.data) == {"text/html", "text/plain"}
    assert said in output.data["text/plain"]
    assert "0x" not in output.data["text/plain"]


def test_an_error_in_a_kernel_shows_the_learners_line(outputs):
    assert "return best[p.nothing]" in outputs["error"][0].data["text/plain"]


def test_a_check_in_the_middle_of_a_cell_is_shown_too(outputs):
    assert [output.output_type for output in outputs["middle"]] == ["display_data", "stream"]


def test_the_same_answer_gives_the_same_text_twice():
    def judged():
        return verdict_view.plain(EXERCISE, EXERCISE.judge(lambda p, t: np.random.default_rng(0).random))

    assert judged() == judged()
