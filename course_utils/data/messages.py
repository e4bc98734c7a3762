"""A learner's own messages: a CSV file with a text and a label column, read with care and complained about in detail.

Nothing is dropped in silence: every row that is left out, and every oddity, is a `Finding` with the lines it stands in.
"""

import collections
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from course_utils import paths
from course_utils.data import csv_file, labels, times
from course_utils.data.finding import Finding, left_out, lines_begin, lines_named, listed, quoted, some
from course_utils.errors import CourseError
from course_utils.language import say, say_many

if TYPE_CHECKING:
    import pandas as pd

LONG_CHARACTERS = 10_000  # a message beyond this is named; no model of the course reads that far
_GROUPS_SHOWN = 5


@dataclass(frozen=True, repr=False)
class OwnData:
    """What `load_csv` read: ``frame``, the classes by falling size, and the findings.

    ``frame`` has the columns line, text, label, and time where that was asked for.
    """

    name: str
    frame: "pd.DataFrame"
    class_names: tuple[str, ...]
    findings: tuple[Finding, ...] = field(default=())
    encoding: str = "utf-8"
    separator: str = ","

    def __repr__(self) -> str:
        return (
            f"OwnData({self.name!r}: {len(self.frame):,} messages, {len(self.class_names)} classes, "
            f"{len(self.findings)} findings)"
        )


class Row(NamedTuple):
    """A usable row: the line on which it begins, the message, its class, and when it came as the file says it."""

    line: int
    text: str
    label: str
    time: str = ""


def load_csv(path: str | Path, *, text: str, label: str, time: str | None = None) -> OwnData:
    """Read a CSV file of labelled messages; ``text`` and ``label`` name its columns, ``time`` that of their dates.

    Separator (comma, semicolon, tab, bar, or what a first line ``sep=`` says) and encoding are found out; fields that
    a row lacks or has too many are taken where they are empty. Left out, and named with their lines, are rows without
    text or label, rows with more in them than the header has columns, repeated messages, and classes with one example.
    Labels are taken as text: letters composed, invisible characters removed, "1.0" as "1" where both occur; "nan",
    "N/A" and "null" are none. Raises CourseError for a file that cannot be read, is larger than 200 MiB or no text,
    lacks a column, or has fewer than two classes left.
    """
    path = Path(path).expanduser()
    text, label = csv_file.column_name(text), csv_file.column_name(label)
    time = csv_file.column_name(time) if time is not None else None
    if text == label:
        raise CourseError(
            say("text and label both name the column {name!r}; the message and its class are two columns.", name=text)
        )
    table = csv_file.read(path, (text, label) if time is None else (text, label, time))
    findings = list(table.findings)
    rows, problems = _usable(table, text, label, time)
    findings += problems
    rows, problems = _with_one_label_for_one_class(rows)
    findings += problems
    kept, problems = _without_repeats(rows)
    findings += problems
    kept, problems = _without_single_examples(kept)
    findings += problems
    findings += _oddities(kept)
    counts = collections.Counter(row.label for row in kept)
    if len(counts) < 2:
        raise CourseError(_too_few_classes(path, label, counts, findings))
    import pandas as pd

    frame = pd.DataFrame(kept, columns=["line", "text", "label", "time"])
    frame = frame.drop(columns="time") if time is None else frame.assign(time=times.read(frame["time"], path, time))
    names = tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return OwnData(path.name, frame, names, tuple(findings), table.encoding, table.separator)


def _too_few_classes(path: Path, label: str, counts: Iterable[str], findings: list[Finding]) -> str:
    names = list(counts)
    if names:
        said = say(
            "{file} has 1 class ({name}) with two examples or more in the column {label!r}; sorting messages needs two "
            "at least.",
            file=paths.display(path),
            name=quoted(names[0]),
            label=label,
        )
    else:
        said = say(
            "{file} has 0 classes with two examples or more in the column {label!r}; sorting messages needs two at "
            "least.",
            file=paths.display(path),
            label=label,
        )
    return " ".join(filter(None, [said, left_out(findings)]))


def _usable(table: csv_file.Table, text: str, label: str, time: str | None) -> tuple[list[Row], list[Finding]]:
    where_text, where_label = table.columns.index(text), table.columns.index(label)
    where_time = table.columns.index(time) if time is not None else None
    strays = _with_a_separator_inside(table, where_label)
    rows: list[Row] = []
    bad: dict[str, list[int]] = collections.defaultdict(list)
    absent: set[str] = set()
    for line, fields in table.records:
        if all(map(csv_file.empty, fields)):
            bad["blank row"].append(line)
        elif len(fields) > table.width or line in strays:
            bad["row of another length"].append(line)
        elif csv_file.empty(fields[where_text]):
            bad["no text"].append(line)
        elif not (name := labels.tidy(fields[where_label])):
            bad["no label"].append(line)
        elif labels.missing(name):
            bad["label that says there is none"].append(line)
            absent.add(name)
        elif where_time is not None and csv_file.empty(fields[where_time]):
            bad["no time"].append(line)
        else:
            when = fields[where_time].strip() if where_time is not None else ""
            rows.append(Row(line, fields[where_text].strip(), fields[where_label], when))
    say_each = {
        "blank row": lambda n, where: say_many(
            "{where} is blank; left out.", "{where} are blank; left out.", n, where=where
        ),
        "row of another length": lambda n, where: say_many(
            "{where} has more fields than the {width} that the header names: a separator inside a message needs "
            "quotes around it; left out.",
            "{where} have more fields than the {width} that the header names: a separator inside a message needs "
            "quotes around it; left out.",
            n,
            where=where,
            width=len(table.columns),
        ),
        "no text": lambda n, where: say_many(
            "{where} has nothing in {column!r}; left out.",
            "{where} have nothing in {column!r}; left out.",
            n,
            where=where,
            column=text,
        ),
        "no label": lambda n, where: say_many(
            "{where} has nothing in {column!r}; left out.",
            "{where} have nothing in {column!r}; left out.",
            n,
            where=where,
            column=label,
        ),
        "no time": lambda n, where: say_many(
            "{where} has nothing in {column!r}; left out.",
            "{where} have nothing in {column!r}; left out.",
            n,
            where=where,
            column=time,
        ),
        "label that says there is none": lambda n, where: say_many(
            "{where} has {names} in {column!r}, which programs write where nothing is known; left out. If it is a "
            "class, give it another name.",
            "{where} have {names} in {column!r}, which programs write where nothing is known; left out. If it is a "
            "class, give it another name.",
            n,
            where=where,
            names=some(sorted(absent)),
            column=label,
        ),
    }
    findings = [
        Finding(kind, sentence(len(bad[kind]), lines_begin(bad[kind])), tuple(bad[kind]), len(bad[kind]))
        for kind, sentence in say_each.items()
        if bad[kind]
    ]
    return rows, findings


def _with_a_separator_inside(table: csv_file.Table, where_label: int) -> set[int]:
    """Lines whose nameless fields come from a separator inside a message, not from a nameless column.

    A header "text,label," has a column without a name, for notes say, and its rows are as good as any. Where few have
    something in it, and what then stands under the label is no other row's label, a message was cut in two instead.
    """
    named = len(table.columns)
    longer = [(line, fields) for line, fields in table.records if named < len(fields) <= table.width]
    if 2 * len(longer) > len(table.records):
        return set()
    known = {labels.tidy(fields[where_label]) for _, fields in table.records if len(fields) == named}
    return {line for line, fields in longer if labels.tidy(fields[where_label]) not in known}


def _with_one_label_for_one_class(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """Labels that differ in nothing to be seen, or are the same whole number, made one; and what was made one."""
    tidied = {written: labels.tidy(written) for written in {row.label for row in rows}}
    numbers = labels.whole_numbers(tidied.values())
    ways: dict[str, set[str]] = collections.defaultdict(set)
    for written, label in tidied.items():
        ways[label].add(" ".join(written.split()))  # blanks are no way of writing
    findings = []
    hidden = sorted(label for label, these in ways.items() if len(these) > 1)
    if hidden:
        message = say_many(
            "The label {names} is written in several ways that look the same (accents composed in another way, or "
            "characters that cannot be seen); they count as one class.",
            "The labels {names} are written in several ways each that look the same (accents composed in another way, "
            "or characters that cannot be seen); each counts as one class.",
            len(hidden),
            names=some(hidden),
        )
        findings.append(Finding("label written in several ways", message))
    if numbers:
        shown = [some(sorted(label for label in numbers if numbers[label] == n)) for n in sorted(set(numbers.values()))]
        message = say(
            "Labels that are the same number count as one class: {names}.",
            names="; ".join(shown[:_GROUPS_SHOWN]) + ("; …" if len(shown) > _GROUPS_SHOWN else ""),
        )
        findings.append(Finding("label written in several ways", message))
    final = {written: numbers.get(label, label) for written, label in tidied.items()}
    return [row._replace(label=final[row.label]) for row in rows], findings


def _without_repeats(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """The first of equal messages stays. A message that comes back with another label is label noise, and is named."""
    first: dict[str, Row] = {}
    repeated, contradicted, kept = [], [], []
    for row in rows:
        key = " ".join(labels.visible(row.text).casefold().split())
        if key not in first:
            first[key] = row
            kept.append(row)
        elif first[key].label == row.label:
            repeated.append(row.line)
        else:
            contradicted.append((row, first[key]))
    findings = []
    if repeated:
        message = say_many(
            "{where} repeats an earlier message; left out, or it would be in training and test at once.",
            "{where} repeat an earlier message; left out, or it would be in training and test at once.",
            len(repeated),
            where=lines_begin(repeated),
        )
        findings.append(Finding("repeated message", message, tuple(repeated), len(repeated)))
    if contradicted:
        row, before = contradicted[0]
        lines = [one.line for one, _ in contradicted]
        message = say_many(
            "{where} is a message that stands before with another label (line {line} says {label}, line {earlier} "
            "{other}); the first counts.",
            "{where} are messages that stand before with another label (line {line} says {label}, line {earlier} "
            "{other}); the first counts.",
            len(lines),
            where=lines_begin(lines),
            line=row.line,
            label=quoted(row.label),
            earlier=before.line,
            other=quoted(before.label),
        )
        findings.append(Finding("contradicting label", message, tuple(lines), len(lines)))
    return kept, findings


def _without_single_examples(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    counts = collections.Counter(row.label for row in rows)
    single = [row for row in rows if counts[row.label] == 1]
    if not single:
        return rows, []
    lines = [row.line for row in single]
    message = say_many(
        "{n} class has a single example ({names}; {where}); left out: one example cannot be learnt from and tested on.",
        "{n:,} classes have a single example ({names}; {where}); left out: one example cannot be learnt from and "
        "tested on.",
        len(single),
        names=some(row.label for row in single),
        where=lines_named(lines),
    )
    kept = [row for row in rows if counts[row.label] > 1]
    return kept, [Finding("single example", message, tuple(lines), len(single))]


def _oddities(rows: list[Row]) -> list[Finding]:
    findings = []
    long = [row.line for row in rows if len(row.text) > LONG_CHARACTERS]
    if long:
        message = say(
            "{where}: more than {most:,} characters; models read the beginning only.",
            where=lines_begin(long),
            most=LONG_CHARACTERS,
        )
        findings.append(Finding("very long message", message, tuple(long)))
    names = {row.label for row in rows}
    for group in (alike := labels.look_alike(names))[:_GROUPS_SHOWN]:
        message = say(
            "The labels {names} look alike (capital letters, blanks, signs, or letters of another script), and count "
            "as different classes. If they are one, write them in one way.",
            names=listed([quoted(name) for name in group[:_GROUPS_SHOWN]]),
        )
        findings.append(Finding("labels that look alike", message))
    if len(alike) > _GROUPS_SHOWN:
        message = say_many(
            "{n} more group of labels looks alike.",
            "{n:,} more groups of labels look alike.",
            len(alike) - _GROUPS_SHOWN,
        )
        findings.append(Finding("labels that look alike", message))
    doubtful = sorted(name for name in names if name.casefold() in labels.DOUBTFUL)
    if doubtful:
        message = say(
            "{names} may stand for a label that is not known; taken as a class. If it is none, empty those fields.",
            names=some(doubtful),
        )
        findings.append(Finding("label that may be none", message))
    return findings
