"""The folder of a capstone, written whole or not at all."""

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path

from course_utils import paths
from course_utils.capstone import commands, decision, question, rubric, walk
from course_utils.capstone.question import Question
from course_utils.errors import CourseError
from course_utils.language import say

TICKETS = "tickets.csv"


def start(
    folder: Path, data: Path | None = None, text: str = "text", label: str = "label", time: str | None = None
) -> list[str]:
    """Write a capstone's folder, and return the names of its files.

    ``data`` is a CSV file with the columns ``text`` and ``label`` (and ``time``), which is copied; without one the
    course's English tickets are written. Raises CourseError, with nothing written, for data that `course compare` would
    not read, a folder that holds anything, and a disk that takes nothing.
    """
    folder = folder.expanduser()
    shown = paths.display(folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CourseError(say("{folder} is a file; name a new folder.", folder=shown))
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise CourseError(say("{folder} holds files already; name a new folder.", folder=shown))
        asked, content = _files(folder, data, text, label, time)
        _write(asked, content)
    except OSError as error:
        why = error.strerror or str(error)
        raise CourseError(say("{folder} cannot be written ({why}).", folder=shown, why=why)) from error
    return [*content, f"{commands.BEFORE}/"]


def _files(
    folder: Path, data: Path | None, text: str, label: str, time: str | None
) -> tuple[Question, dict[str, bytes]]:
    if data is None:
        name, content = TICKETS, _tickets()
    else:
        from course_utils.data import load_csv

        data = data.expanduser()
        load_csv(data, text=text, label=label, time=time)  # says what is wrong with it
        name, content = data.name, data.read_bytes()
    asked = Question(folder, file=name, text=text, label=label, time=time)
    written = {
        question.FILE: _settings(asked),
        "README.md": readme(asked),
        commands.TESTS: _tests(),
        commands.REPORT: decision.template(),
        "rubric.md": rubric.text(),
    }
    if name in (*written, commands.BEFORE):
        raise CourseError(say("The data are called {name}, as a file of the capstone is; rename them.", name=name))
    return asked, {name: content, **{file: words.encode("utf-8") for file, words in written.items()}}


def _write(asked: Question, content: dict[str, bytes]) -> None:
    """All files beside the folder's place, then the folder under its name."""
    folder = asked.folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, data in content.items():
            (beside / name).write_bytes(data)
        _before(beside / asked.file, asked, beside / commands.BEFORE)
        beside.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()  # it is empty
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _before(data: Path, asked: Question, bundle: Path) -> None:
    """Save what is done without a model as a model: the shares of the classes, and every message left to people."""
    from course_utils import bundles
    from course_utils.bundles import models
    from course_utils.compare.account import EVERYTHING
    from course_utils.compare.text_language import language
    from course_utils.data import load_csv

    own = load_csv(data, text=asked.text, label=asked.label)
    shares = own.frame["label"].value_counts(normalize=True)[list(own.class_names)].to_numpy()
    model = models.Majority(class_names=own.class_names, language=language(own.frame["text"].tolist()), shares=shares)
    bundles.save(model, bundle, decision={"threshold": EVERYTHING, "limits": {}})


def _tickets() -> bytes:
    """The course's English tickets, all parts in one file: the comparison makes parts of its own."""
    from course_utils.data import tickets

    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\n")
    table.writerow(tickets.COLUMNS)
    rows = [row for part in tickets.rows("tickets").values() for row in part.itertuples(index=False)]
    table.writerows(sorted(rows))
    return written.getvalue().encode("utf-8")


def _settings(asked: Question) -> str:
    """``capstone.toml``, with a question mark for all that a learner has to state."""
    known = {name: json.dumps(getattr(asked, name), ensure_ascii=False) for name in ("file", "text", "label")}
    time = json.dumps(asked.time or "", ensure_ascii=False)
    return say(
        """# The question, the data, the alarm. Every "?" is yours to replace; numbers stand without quotation marks.

[question]
decision = "?"            # who decides what: "The help desk: which team reads a message first."
minutes_by_hand = "?"     # minutes of a person for one message: 1.5
minutes_per_error = "?"   # minutes that a wrong answer costs: 12
messages_a_month = "?"    # 1000
must_find = "?"           # classes that must not be missed, with the share to be found: {{ security = 0.9 }}
rate = "?"                # requests a second in the busiest hour: 5
p99_ms = "?"              # milliseconds within which 99 of 100 answers come: 100
memory_mib = "?"          # MiB that the service may take: 512

[data]
file = {file}
text = {text}             # the column of the messages
label = {label}           # the column of their classes
time = {time}             # the column of their dates, if there is one: then the newest are the test
looked = "?"              # what you saw in twenty messages, and in comparison/possible_wrong_labels.csv

[alarm]
watch = "?"               # a metric of the service: 'course_answers_total{{label="person"}}'
limit = "?"               # from which value a day on it rings: 40
false_alarms = "?"        # on which share of the days it may ring for nothing: 0.01
then = "?"                # who does what: "Ada reads fifty answers; if ten are wrong she rolls back."
""",
        time=time,
        **known,
    )


def _tests() -> str:
    return say(
        """# Your own tests: what would a wrong model do to your messages? Take the marks off what fits, and change it.
#
# [[minimum]]                 # any model must get these right
# name = "plain words"
# examples = [{ text = "I was charged twice.", label = "billing" }]
#
# [[direction]]               # the probability of a class must move as it should
# name = "hacked"
# class = "security"
# add = "I think we were hacked."
# must = "not fall"           # or "not rise", "rise", "fall"
#
# [[invariance]]              # the answer must stay
# name = "sent from a phone"
# add = " Sent from my phone"
"""
    )


def readme(asked: Question) -> str:
    """The steps, and what to type at each."""
    steps = (
        (
            say("Replace each question mark below [question] in `capstone.toml`. The commands below have your numbers "
                "in the place of the capitals; `course capstone check` shows them filled in."),
            [],
        ),
        (
            say("Read twenty messages of `{file}`. The comparison (step 3) lists the labels that are in doubt; read "
                "those, too, and say in `looked` what you saw.", file=asked.file),
            [],
        ),
        (
            say("Minutes for the first three candidates; without `--only` the pretrained encoders are tried, too."),
            [commands.compare(asked) + " --only majority,tfidf,small"],
        ),
        (
            say("The key `maker` stays with you: do not hand it on with the folder. `before` is today’s way as a "
                "model: it leaves every message to people, and is what you can go back to."
            ),
            [commands.sign(), commands.sign(commands.BEFORE, new_key=False)],
        ),
        (
            say("First a test of your own, in `tests.toml`."),
            [commands.check(asked)],
        ),
        (
            say("The service in one terminal, the load test in another; Ctrl-C ends the service."),
            [commands.serve(), commands.loadtest(asked)],
        ),
        (
            say("Today’s way first, then the model, the way back, and the model again; `add` prints the version. State "
                "the alarm in `capstone.toml`, and write `report.md`: every number in it is one of the results."),
            [
                commands.add(commands.BEFORE),
                commands.promote(),
                commands.add(),
                commands.promote(),
                commands.rollback(),
                commands.promote(),
                commands.serve(commands.VERSIONS),
            ],
        ),
    )  # fmt: skip
    parts = [
        say("# Capstone"),
        say("From your own messages to a running, gated, monitored service with a decision report, in seven steps. "
            "Type everything in this folder. `course capstone check` says after each step what is done, what is "
            "missing, what contradicts what, and what to type next; it changes nothing. At the end a colleague reads "
            "`report.md` and fills in `rubric.md`."),
    ]  # fmt: skip
    for number, (title, (words, lines)) in enumerate(zip(walk.titles(), steps, strict=True), 1):
        parts.append(say("## {number}. {title}", number=number, title=title))
        parts.append(words)
        if lines:
            parts.append("\n".join(["```bash", *lines, "```"]))
    return "\n\n".join(parts) + "\n"


def change_into(folder: Path) -> str:
    """The command that changes into the folder."""
    return f"cd {paths.for_shell(folder)}" if paths.display(folder) != "." else ""
