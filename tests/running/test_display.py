"""What a terminal shows of a run: it fits, and text from a kernel stays text."""

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from course_utils.running.display import Display, table
from course_utils.running.outcome import Outcome

ERROR = {
    "cell_index": 41,
    "cell_id": "exercise-06-2",
    "first_line": "history = train(generator, discriminator, steps=choose(quick=300, full=3000))",
    "ename": "InvalidArgumentError",
    "evalue": "Matrix size-incompatible: In[0]: [64,128], In[1]: [64,10] [Op:MatMul]\nmore",
}
RUN = [
    Outcome(
        "05_recurrent_networks",
        "A",
        "passed",
        36.44,
        812,
        ["test accuracy 0.9912 (95 % CI 0.989 to 0.993)", "seconds to train 12.3"],
        cpu_seconds=41.9,
    ),
    Outcome("06_generative_adversarial_networks", "B", "failed", 1234.56, 1536, kind="cell error", error=ERROR),
    Outcome("07_mnist_cnn", "C", "over budget", 71.2, 1420, cpu_seconds=93, kind="memory", reason="1,420 MiB"),
    Outcome("09_fine_tuning_bert", "D", "not run", kind="network", reason="minilm could not be downloaded"),
    Outcome("10_deployment", "E", "interrupted", 3.2, reason="stopped in cell 3 of 80"),
]


def printed(outcomes, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table(outcomes))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_table_fits_and_breaks_between_words(width):
    lines = printed(RUN, width)
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for words in (
        "passed · test accuracy 0.9912 (95 % CI 0.989 to 0.993); seconds to train 12.3",
        "failed (a cell's error) · cell 42 (exercise-06-2): history = train(generator, discriminator,",
        "InvalidArgumentError: Matrix size-incompatible:",
        "over budget (memory) · 1,420 MiB",
        "not run (network) · minilm could not be downloaded",
    ):
        assert words in text
    assert len(lines) <= (15 if width == 160 else 22)


@pytest.mark.parametrize("width", [60, 80])
def test_each_row_has_its_figures_below_their_heads(width):
    lines = printed(RUN, width)
    row = next(line for line in lines if "05_recurrent_networks" in line)
    assert row.split() == ["✓", "05_recurrent_networks", "36.4", "41.9", "812"]
    for head, figure in (("seconds", "36.4"), ("processor s", "41.9"), ("peak MiB", "812")):
        assert lines[0].index(head) + len(head) == row.index(figure) + len(figure)
    sums = next(number for number, line in enumerate(lines) if line.split()[-2:] == ["1,345.4", "134.9"])
    counted = " ".join(" ".join(lines[sums + 1 :]).split())
    assert counted.split(", ") == ["1 passed", "1 failed", "1 not run", "1 over budget", "1 interrupted"]


def test_a_single_chapter_needs_no_sum():
    assert len(printed(RUN[:1], 160)) == 3


def test_text_stays_text():
    error = {"cell_index": 4, "cell_id": "ab", "first_line": "x[[0]]", "ename": "E", "evalue": "[bold]no[/nope]\nmore"}
    odd = Outcome("01_a", "A", "failed", 1.5, 20, ["[red]0.9 \x1b[31mred\x1b]0;title\x07"], error=error)
    text = "\n".join(printed([odd], 160))
    for piece in ("[red]0.9 red", "cell 5 (ab): x[[0]] → E: [bold]no[/nope]", "✗ 01_a"):
        assert piece in text
    assert "\x1b" not in text and "title" not in text


@pytest.mark.parametrize("width", [60, 80])
def test_progress_fits_one_line_a_bar(width):
    file = io.StringIO()
    console = Console(file=file, width=width, height=30, force_terminal=True, color_system=None, legacy_windows=False)
    display = Display(console, 10)
    display.open()
    execution = SimpleNamespace(job=SimpleNamespace(key="06_generative_adversarial_networks"), cells=180, done=0)
    display.begin(execution)
    execution.done = 120
    display.update(execution)
    display.bars.refresh()
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line) for line in re.split(r"[\r\n]+", file.getvalue())]
    display.close()
    assert max(map(len, lines)) <= width
    assert any("120/180" in line and "06_gener" in line for line in lines), "chapter and cells stand in one line"


@pytest.mark.parametrize("width", [60, 80])
def test_the_line_of_a_chapter_fits_a_terminal(width):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None, legacy_windows=False)
    Display(console, 2).finish(SimpleNamespace(key="06_generative_adversarial_networks"), RUN[1])
    lines = file.getvalue().splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= width
    assert " ".join(file.getvalue().split()).endswith("In[1]: [64,10] [Op:MatMul]")


def test_without_a_terminal_there_are_plain_lines(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    file = io.StringIO()
    display = Display(Console(file=file, width=80), 2)
    job = SimpleNamespace(key="07_mnist_cnn")
    display.open()
    display.begin(SimpleNamespace(job=job))
    display.finish(job, RUN[1])
    assert file.getvalue().splitlines()[0] == "07_mnist_cnn: started"
    assert len(file.getvalue().splitlines()) == 2
    assert "[1/2]" in file.getvalue() and "1,234.6 s" in file.getvalue() and "\x1b" not in file.getvalue()
