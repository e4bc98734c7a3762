"""A finished capstone, made once by the course's own commands with the smallest candidates; each test gets a copy."""

import contextlib
import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from capstone_made import OWN, STATED, course, messages, right_report, state, typed

from course_utils import bundles
from course_utils.capstone import commands, question
from course_utils.capstone.work import Open, Work
from course_utils.serving.answers import version_of
from course_utils.serving.starting import Service


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Iterator[tuple[Path, Service]]:
    """The folder of a capstone in which every step is done, and the service of its model."""
    from course_utils.compare import jobs, worker

    above = tmp_path_factory.mktemp("capstones")
    with (above / "my messages.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *messages({"billing": 60, "bug": 50, "account": 24})])
    folder = above / "my capstone"

    def in_process(job, *, limit, tell):
        phase = {"train": worker.train, "judge": worker.judge}[job["phase"]]
        return {**phase(job, tell), "memory_mib": 1.0}

    with contextlib.ExitStack() as ends, pytest.MonkeyPatch.context() as patch:
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
        service = ends.enter_context(Service(folder / commands.MODEL, folder=above / "service"))
        typed(commands.loadtest(asked).replace("http://127.0.0.1:8000", service.url), "--seconds", "4")
        before, model = (version_of(bundles.read_card(folder / place)) for place in (commands.BEFORE, commands.MODEL))
        for line in (
            commands.add(commands.BEFORE), commands.promote(before), commands.add(), commands.promote(model),
            commands.rollback(), commands.promote(model),
        ):  # fmt: skip
            typed(line)
        (folder / commands.REPORT).write_text(right_report(Work(asked)), "utf-8")
        patch.undo()
        yield folder, service


@pytest.fixture(scope="session")
def finished(made) -> Path:
    """The folder of a finished capstone, which no test changes."""
    return made[0]


@pytest.fixture(scope="session")
def running(made) -> Service:
    """One service for the tests of what may be wrong with one."""
    return made[1]


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
