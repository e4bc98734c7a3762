"""Made messages, what is stated about them, commands as a reader types them, and a report that is right."""

import shlex
from pathlib import Path

import numpy as np
import pytest

from course_utils import cli
from course_utils.capstone import decision
from course_utils.capstone.work import Work

WORDS = {
    "billing": "invoice refund charged card payment price euros twice receipt tax paid money bill cents",
    "bug": "crash error broken freezes blank slow button screen fails wrong exception update phone stuck",
    "account": "password login user delete owner access email locked invite profile reset name role team",
}
FILLER = "please hello since monday the for our my with after again today still you can help me it when we and"
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
            words = [
                *random.choice(WORDS[label].split(), 6, replace=False),
                *random.choice(FILLER.split(), 6, replace=False),
            ]
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
    name, *arguments = shlex.split(command)
    assert name == "course"
    course(*arguments, *more)


def right_report(work: Work) -> str:
    """A report with every section, and in the first the numbers that decide."""
    first, *others = [name for name, _ in decision.sections()]
    decides = [f"* {name}: {shown}" for name, _, shown, _ in decision.deciding(work)]
    parts = ["# Decision report", f"## {first}", "We ship it.", "\n".join(decides)]
    return "\n\n".join([*parts, *(f"## {name}\n\nAs it is." for name in others)]) + "\n"
