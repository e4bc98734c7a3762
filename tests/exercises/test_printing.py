"""What an answer prints while it is judged: the first of it is shown, the rest is counted and said in one sentence."""

import os
import sys
import threading
import time
import tracemalloc

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils.exercises.judges import function
from course_utils.exercises.printing import Printed


def double(value):
    return 2 * value


def judge(seconds=5.0, cases=((1,), (2,), (3,))):
    return function(double, list(cases), seconds=seconds)


def test_a_few_lines_are_shown_as_they_are(capsys):
    def answer(value):
        print("value is", value)
        print("to the other stream", file=sys.stderr)
        return 2 * value

    assert judge()(answer)
    shown = capsys.readouterr()
    assert shown.out == "value is 1\nvalue is 2\nvalue is 3\n"
    assert shown.err == "to the other stream\n" * 3


def test_what_is_left_out_is_counted_over_all_cases(capsys):
    def answer(value):
        for n in range(100):
            print(n)
        return 2 * value

    assert judge()(answer)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:40] == [str(n) for n in range(40)]
    assert len(lines) == 41
    assert "260" in lines[40]


def test_a_line_without_end_is_cut_and_its_characters_are_counted(capsys):
    def answer(value):
        for _ in range(1000):
            print("0123456789", end="")
        return 2 * value

    assert judge(cases=((1,),))(answer)
    first, said = capsys.readouterr().out.splitlines()
    assert first == "0123456789" * 400
    assert "6,000" in said


def test_one_that_prints_for_ever_is_stopped_and_fills_neither_the_screen_nor_the_memory(capsys):
    def answer(value):
        while True:
            print("x" * 1000)

    tracemalloc.start()
    try:
        verdict = judge(seconds=1.0)(answer)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert verdict.mistake == "no end"
    assert len(capsys.readouterr().out) < 6_000
    assert peak < 2**20


def test_the_streams_are_given_back_after_an_error_and_after_the_answer_took_them_away():
    before = sys.stdout, sys.stderr

    def answer(value):
        sys.stdout = sys.stderr = None
        raise ValueError

    assert judge()(answer).mistake == "error"
    assert (sys.stdout, sys.stderr) == before


def test_a_stream_takes_texts_only(capsys):
    printed = Printed()
    with printed.taking():
        with pytest.raises(TypeError, match="must be str"):
            sys.stdout.write(b"bytes")
        sys.stdout.flush()
        assert sys.stdout.writable()
    assert printed.rest() == ""


def test_one_who_keeps_the_stream_can_write_to_it_ever_after(capsys):
    printed, kept = Printed(lines=1), []
    with printed.taking():
        kept.append(sys.stdout)
        print("first")
        print("left out")
    print("after", file=kept[0], flush=True)
    assert capsys.readouterr().out == "first\nafter\n"


CELL = """
from IPython.display import display
from course_utils import check
def accuracy(labels, predictions):
    {line}
    return (labels == predictions).mean()
check("00-2", accuracy)
"""


# What an answer writes to the process's own output: lines without end, a little, by a program that outlives it.
PAST_PYTHON = [
    "import os\n    while True: os.write(1, b'endless\\n' * 100)",
    "import os; os.write(1, b'one\\n'); os.write(2, b'two\\n')",
    "import subprocess; subprocess.Popen('sleep 3; echo late', shell=True); subprocess.run(['echo', 'early'])",
]
AFTERWARDS = "import os, time; n = os.write(1, b'given back'); n = os.write(2, b'and this'); time.sleep(1)"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Of cells in one kernel: one shows thirty objects in each of five cases, one prints 1,000 lines in each, one shows
    one object in each and puts others in its place."""
    updates = "shown = display(0, display_id=True); [shown.update(n) for n in range(30)]"
    lines = ["for n in range(30): display(n)", "for n in range(1000): print(n)", updates, *PAST_PYTHON]
    sources = [*(CELL.format(line=line) for line in lines), AFTERWARDS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_CURRENT_TEST")  # with it a kernel shows nothing of what is written past Python
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("kernel")))
        patch.delenv("COURSE_STRICT", raising=False)
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def test_in_a_kernel_displayed_objects_are_few_and_the_verdict_comes_last(outputs):
    kinds = [output.output_type for output in outputs[0]]
    assert kinds == ["display_data"] * 5 + ["stream", "display_data"]
    assert "145" in outputs[0][5].text
    assert "right" in outputs[0][-1].data["text/plain"]


def test_in_a_kernel_what_takes_the_place_of_another_is_not_counted(outputs):
    shown = [output.data["text/plain"] for output in outputs[2]]
    assert shown[:5] == ["29"] * 5
    assert "right" in shown[5]
    assert len(shown) == 6


def test_in_a_kernel_lines_are_few_and_the_verdict_comes_last(outputs):
    streams = "".join(output.text for output in outputs[1][:-1])
    assert streams.splitlines()[:40] == [str(n) for n in range(40)]
    assert "4,960" in streams.splitlines()[40]
    assert "right" in outputs[1][-1].data["text/plain"]


def said_in(outputs, stream: str) -> str:
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == stream)


posix = pytest.mark.skipif(os.name != "posix", reason="elsewhere a kernel does not show what is written past Python")


@posix
def test_in_a_kernel_what_is_written_past_python_without_end_is_cut_and_counted(outputs):
    said = said_in(outputs[3], "stdout")
    lines = said.splitlines()
    assert lines[:40] == ["endless"] * 40 and len(lines) == 41 and "more lines" in lines[40]
    assert "did not end within" in outputs[3][-1].data["text/plain"]


@posix
def test_in_a_kernel_a_little_that_is_written_past_python_is_shown(outputs):
    assert said_in(outputs[4], "stdout") == "one\n" * 5 and said_in(outputs[4], "stderr") == "two\n" * 5
    assert "right" in outputs[4][-1].data["text/plain"]


@posix
def test_in_a_kernel_a_program_that_outlives_the_answer_holds_nothing_up(outputs):
    assert said_in(outputs[5], "stdout") == "early\n" * 5
    assert "right" in outputs[5][-1].data["text/plain"]


@posix
def test_in_a_kernel_the_process_has_its_own_output_back_afterwards(outputs):
    assert said_in(outputs[6], "stdout") == "given back" and said_in(outputs[6], "stderr") == "and this"


def test_in_a_thread_what_is_printed_is_cut_too(capsys):
    def answer(value):
        while True:
            print("again")
            time.sleep(0)

    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(judge(seconds=0.3)(answer)))
    thread.start()
    thread.join(20)
    assert [verdict.mistake for verdict in verdicts] == ["no end"]
    assert len(capsys.readouterr().out.splitlines()) == 41
