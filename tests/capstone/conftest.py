"""A finished capstone, made once by the course's own commands with the smallest candidates; each test gets a copy."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from course_utils import bundles, cli
from course_utils.capstone import commands, decision, question
from course_utils.capstone.work import Open, Work
from course_utils.serving.answers import version_of
from course_utils.serving.starting import Service

WORDS = {
    "billing": "invoice refund charged card payment price euros twice receipt tax paid money bill cents".split(),
    "bug": "crash error broken freezes blank slow button screen fails wrong exception update phone stuck".split(),
    "account": "password login user delete owner access email locked invite profile reset name role team".split(),
}
FILLER = "please hello since monday the for our my with after again today still you can help me it when we and".split()
STATED = {
    "decision": '"The help desk: who reads a message first."',
    "minutes_by_hand": "1.5",
    "minutes_per_error": "12",
    "messages_a_month": "1000",
    "must_find": "{ account = 0.8 }",
    "rate": "60",
    "p99_ms": "400",
    "memory_mib": "900",
    "looked": '"Nothing was odd."',
    "watch": "'course_answers_total{label=\"person\"}'",
    "limit": "40",
    "false_alarms": "0.01",
    "then": '"Ada reads fifty answers."',
}
OWN = """[[minimum]]
name = "locked out"
examples = [{ text = "my password is locked, please reset the login", label = "account" }]
"""


def messages(each: dict[str, int]) -> list[tuple[str, str]]:
    """(text, label): six words of the class among six of any."""
    random = np.random.default_rng(0)
    rows = []
    for label, count in each.items():
        for _ in range(count):
            words = [*random.choice(WORDS[label], 6, replace=False), *random.choice(FILLER, 6, replace=False)]
            rows.append((" ".join(random.permutation(words)), label))
    return [rows[i] for i in random.permutation(len(rows))]


def course(*arguments: object, status: int = 0) -> None:
    """Run the command in this process."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, arguments)))
    assert (ended.value.code or 0) == status, arguments


def state(path: Path, **values: str) -> None:
    """Put values into ``capstone.toml``, as TOML writes them."""
    lines = path.read_text("utf-8").splitlines()
    for key, value in values.items():
        (at,) = [n for n, line in enumerate(lines) if line.startswith(f"{key} = ")]
        lines[at] = f"{key} = {value}"
    path.write_text("\n".join(lines) + "\n", "utf-8")


def typed(command: str, *more: str) -> None:
    """Run a command as `course capstone check` says it."""
    import shlex

    name, *arguments = shlex.split(command)
    assert name == "course"
    course(*arguments, *more)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The folder of a capstone in which every step is done."""
    from course_utils.compare import jobs, worker

    above = tmp_path_factory.mktemp("capstones")
    with (above / "my messages.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *messages({"billing": 60, "bug": 50, "account": 24})])
    folder = above / "my capstone"

    def in_process(job, *, limit, tell):
        phase = {"train": worker.train, "judge": worker.judge}[job["phase"]]
        return {**phase(job, tell), "memory_mib": 1.0}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(above / "cache"))
        patch.setenv("COURSE_PROGRESS", "0")
        course("capstone", "start", folder, "--data", above / "my messages.csv")
        state(folder / question.FILE, **STATED)
        (folder / commands.TESTS).write_text(OWN, "utf-8")
        patch.chdir(folder)
        asked = question.read(folder)
        with patch.context() as inside:
            inside.setattr(jobs, "run", in_process)
            typed(commands.compare(asked), "--only", "majority,tfidf")
        typed(commands.sign())
        typed(commands.sign(commands.BEFORE, new_key=False))
        typed(commands.check(asked))
        with Service(folder / commands.MODEL, folder=above / "service") as service:
            typed(commands.loadtest(asked).replace("http://127.0.0.1:8000", service.url), "--seconds", "4")
        before, model = (
            version_of(bundles.read_card(folder / place)) for place in (commands.BEFORE, commands.MODEL)
        )
        for line in (
            commands.add(commands.BEFORE), commands.promote(before), commands.add(), commands.promote(model),
            commands.rollback(), commands.promote(model),
        ):  # fmt: skip
            typed(line)
        (folder / commands.REPORT).write_text(right_report(Work(asked)), "utf-8")
    return folder


def right_report(work: Work) -> str:
    """A report with every section, and in the first the numbers that decide."""
    first, *others = [name for name, _ in decision.sections()]
    decides = [f"* {name}: {shown}" for name, _, shown, _ in decision.deciding(work)]
    parts = ["# Decision report", f"## {first}", "We ship it.", "\n".join(decides)]
    return "\n\n".join([*parts, *(f"## {name}\n\nAs it is." for name in others)]) + "\n"


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of the finished capstone, to be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "a copy"))


@pytest.fixture
def came_to(folder) -> Callable[..., Open | str]:
    """``came_to(step)`` → why the step is not done in ``folder``, or the sentence that says it is."""

    def run(*held: Callable[[Work], str]) -> Open | str:
        work = Work(question.read(folder))
        try:
            return " ".join(one(work) for one in held)
        except Open as why:
            return why

    return run


@pytest.fixture
def spoil(folder) -> Callable[..., None]:
    """``spoil("gate.json", lambda told: …)`` changes a JSON file of ``folder`` in place."""

    def change(name: str, how: Callable[[dict], object]) -> None:
        path = folder / name
        content = json.loads(path.read_text("utf-8"))
        how(content)
        path.write_text(json.dumps(content), "utf-8")

    return change
