"""A learner's own messages: a CSV file with a text and a label column, read with care and complained about in detail.

Nothing is dropped in silence: every row that is left out, and every oddity, is a `Finding` with the lines it stands in.
"""

import collections
import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths
from course_utils.errors import CourseError, near_misses

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 200 * 2**20
MOST_CHARACTERS = 10_000_000  # of one field: more is a quote that was never closed
LONG_CHARACTERS = 10_000  # a message beyond this is named; no model of the course reads that far
SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SHOWN = 5
_WESTERN = {
    "English", "French", "German", "Spanish", "Italian", "Portuguese", "Dutch", "Swedish", "Danish", "Norwegian",
    "Finnish",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something about the file: its ``kind``, a sentence, the lines (from 1), and how many rows were left out."""

    kind: str
    message: str
    lines: tuple[int, ...] = ()
    dropped: int = 0

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, repr=False)
class OwnData:
    """What `load_csv` read: ``frame`` (columns line, text, label), the classes by falling size, and the findings."""

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


def load_csv(path: str | Path, *, text: str, label: str) -> OwnData:
    """Read a CSV file of labelled messages; ``text`` and ``label`` name its columns.

    Separator (comma, semicolon, tab or bar) and encoding are found out. Left out, and named with their lines, are rows
    without text or label, rows of another length than the header, repeated messages, and classes with one example.
    Labels are taken as text. Raises CourseError for a file that cannot be read, is larger than 200 MiB or no text,
    lacks a column, or has fewer than two classes left.
    """
    path = Path(path).expanduser()
    if text == label:
        raise CourseError(f"text and label both name the column {text!r}; the message and its class are two columns.")
    content, encoding, findings = _decoded(path)
    separator, header = _header(content, text, label, path)
    rows, problems = _rows(content, separator, header, text, label, path)
    findings += problems
    kept, problems = _without_repeats(rows)
    findings += problems
    kept, problems = _without_single_examples(kept)
    findings += problems
    findings += _oddities(kept)
    counts = collections.Counter(row[2] for row in kept)
    if len(counts) < 2:
        only = f" ({next(iter(counts))!r})" if counts else ""
        raise CourseError(
            f"{paths.display(path)} has {len(counts)} class{'' if len(counts) == 1 else 'es'}{only} with two examples "
            f"or more in the column {label!r}; sorting messages needs two at least.{_of_note(findings)}"
        )
    import pandas as pd

    frame = pd.DataFrame(kept, columns=["line", "text", "label"])
    names = tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return OwnData(path.name, frame, names, tuple(findings), encoding, separator)


def _of_note(findings: list[Finding]) -> str:
    left_out = [str(finding) for finding in findings if finding.dropped]
    return f" {' '.join(left_out[:3])}" if left_out else ""


def lines_named(lines: tuple[int, ...] | list[int]) -> str:
    """Line numbers as a reader wants them: "line 4", "lines 4, 7 and 9", "lines 4, 7, 9, 12, 15 and 31 more"."""
    shown = [str(line) for line in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        return f"lines {', '.join(shown)} and {len(lines) - _SHOWN:,} more"
    if len(shown) == 1:
        return f"line {shown[0]}"
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"


# ------------------------------------------------------------------------------------------------------ bytes to text


def _decoded(path: Path) -> tuple[str, str, list[Finding]]:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise CourseError(f"{paths.display(path)} is a folder; name the CSV file in it.")
        if size > MOST_BYTES:
            raise CourseError(
                f"{paths.display(path)} has {size / 2**20:,.0f} MiB, more than the {MOST_BYTES // 2**20} MiB that are "
                "read. Take a sample of its rows: some ten thousand messages are plenty."
            )
        raw = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{paths.display(path)} cannot be read: {error.strerror or error}.") from error
    if not raw.strip():
        raise CourseError(f"{paths.display(path)} is empty; expected is a header line and a message a row.")
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(codec), codec, []
            except UnicodeDecodeError:
                break
    if raw.startswith(b"PK\x03\x04"):
        raise CourseError(
            f"{paths.display(path)} is an Excel workbook or a zip archive, not a CSV file. Open it and save the sheet "
            'as "CSV UTF-8".'
        )
    if b"\x00" in raw[: 1 << 20]:
        raise CourseError(
            f"{paths.display(path)} is not a text file (byte {raw.index(0):,} is zero); expected is a CSV file."
        )
    try:
        return raw.decode("utf-8"), "utf-8", []
    except UnicodeDecodeError as error:
        return _guessed(raw, path, error)


def _guessed(raw: bytes, path: Path, error: UnicodeDecodeError) -> tuple[str, str, list[Finding]]:
    from charset_normalizer import from_bytes

    # The neighbourhood of the first byte that is no UTF-8 says more than a mostly plain beginning.
    sample = raw[max(0, error.start - 20_000) : error.start + 80_000]
    best = from_bytes(sample).best()
    content, encoding = None, ""
    if best is not None:
        # The languages of western Europe are told apart well, their code pages from their neighbours' badly.
        likely = ["cp1252", best.encoding] if best.language in _WESTERN else [best.encoding]
        for encoding in likely:
            with contextlib.suppress(UnicodeDecodeError, LookupError):
                content = raw.decode(encoding)
                break
    if content is None or sum(not (c.isprintable() or c.isspace()) for c in content[:20_000]) > 200:
        raise CourseError(
            f"{paths.display(path)} is not a text file in an encoding that can be recognised (byte {error.start:,} is "
            'no UTF-8). Save it as "CSV UTF-8".'
        )
    line = raw.count(b"\n", 0, error.start) + 1
    message = (
        f"The file is not UTF-8 (line {line}); it was read as {encoding}. Look whether accents and other letters "
        "came out right."
    )
    return content, encoding, [Finding("encoding guessed", message, (line,))]


# ------------------------------------------------------------------------------------------------------- text to rows


def _records(content: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, fields) of each record."""
    csv.field_size_limit(MOST_CHARACTERS)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for fields in reader:
            yield begins, fields
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _Unreadable(begins, str(error)) from error


class _Unreadable(Exception):
    """A record that the csv module refuses: the line on which it begins, and why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def _header(content: str, text: str, label: str, path: Path) -> tuple[str, list[str]]:
    found = {}
    for separator in SEPARATORS:
        try:
            _, fields = next(_records(content, separator))
        except (_Unreadable, StopIteration):
            continue
        found[separator] = [name.strip() for name in fields]
        if text in found[separator] and label in found[separator]:
            return separator, found[separator]
    if not found:
        raise CourseError(f"The first line of {paths.display(path)} cannot be read as the header of a CSV file.")
    likeliest = max(found.values(), key=len)
    missing = next(name for name in (text, label) if name not in likeliest)
    shown = ", ".join(repr(name[:60]) for name in likeliest[:20]) + (", …" if len(likeliest) > 20 else "")
    raise CourseError(
        f"{paths.display(path)} has no column {missing!r}; it has {shown}.{near_misses(missing, likeliest)}"
    )


Row = tuple[int, str, str]


def _rows(
    content: str, separator: str, header: list[str], text: str, label: str, path: Path
) -> tuple[list[Row], list[Finding]]:
    for name in (text, label):
        if header.count(name) > 1:
            raise CourseError(
                f"{paths.display(path)} has {header.count(name)} columns called {name!r}; rename all but one."
            )
    where_text, where_label = header.index(text), header.index(label)
    rows: list[Row] = []
    bad: dict[str, list[int]] = collections.defaultdict(list)
    try:
        records = _records(content, separator)
        next(records)
        for line, fields in records:
            if not any(value.strip() for value in fields):
                bad["blank"].append(line)
            elif len(fields) != len(header):
                bad["length"].append(line)
            elif not fields[where_text].strip():
                bad["text"].append(line)
            elif not fields[where_label].strip():
                bad["label"].append(line)
            else:
                rows.append((line, fields[where_text].strip(), " ".join(fields[where_label].split())))
    except _Unreadable as error:
        raise CourseError(
            f"{paths.display(path)} cannot be read from line {error.line} on ({error}): a quotation mark opens or "
            "closes there in the wrong place. Inside quotes, write two for one."
        ) from error
    said = {
        "blank": ("blank row", "{} is blank"),
        "length": (
            "row of another length",
            f"{{}} has not the {len(header)} fields of the header: a separator inside a message needs quotes around it",
        ),
        "text": ("no text", f"{{}} has nothing in {text!r}"),
        "label": ("no label", f"{{}} has nothing in {label!r}"),
    }
    findings = []
    for kind, (short, pattern) in said.items():
        if bad[kind]:
            where = lines_named(bad[kind])
            sentence = pattern.format(where[0].upper() + where[1:])
            if len(bad[kind]) > 1:
                sentence = sentence.replace(" is blank", " are blank").replace(" has ", " have ", 1)
            findings.append(Finding(short, f"{sentence}; left out.", tuple(bad[kind]), len(bad[kind])))
    return rows, findings


def _without_repeats(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    """The first of equal messages stays. A message that comes back with another label is label noise, and is named."""
    first: dict[str, Row] = {}
    repeated, contradicted, kept = [], [], []
    for row in rows:
        key = " ".join(row[1].casefold().split())
        if key not in first:
            first[key] = row
            kept.append(row)
        elif first[key][2] == row[2]:
            repeated.append(row[0])
        else:
            contradicted.append((row, first[key]))
    findings = []
    if repeated:
        where = lines_named(repeated)
        verb = "repeats" if len(repeated) == 1 else "repeat"
        message = (
            f"{where[0].upper()}{where[1:]} {verb} an earlier message; left out, or it would be in training and test "
            "at once."
        )
        findings.append(Finding("repeated message", message, tuple(repeated), len(repeated)))
    if contradicted:
        row, before = contradicted[0]
        lines = [one[0] for one, _ in contradicted]
        where = lines_named(lines)
        verb = "is a message that stands" if len(lines) == 1 else "are messages that stand"
        message = (
            f"{where[0].upper()}{where[1:]} {verb} before with another label (line {row[0]} says {row[2]!r}, line "
            f"{before[0]} {before[2]!r}); the first counts."
        )
        findings.append(Finding("contradicting label", message, tuple(lines), len(lines)))
    return kept, findings


def _without_single_examples(rows: list[Row]) -> tuple[list[Row], list[Finding]]:
    counts = collections.Counter(row[2] for row in rows)
    single = [row for row in rows if counts[row[2]] == 1]
    if not single:
        return rows, []
    names = ", ".join(repr(row[2][:40]) for row in single[:_SHOWN]) + (", …" if len(single) > _SHOWN else "")
    where = lines_named([row[0] for row in single])
    message = (
        f"{len(single)} class{'es have' if len(single) > 1 else ' has'} a single example ({names}; {where}); left out: "
        "one example cannot be learnt from and tested on."
    )
    kept = [row for row in rows if counts[row[2]] > 1]
    return kept, [Finding("single example", message, tuple(row[0] for row in single), len(single))]


def _oddities(rows: list[Row]) -> list[Finding]:
    findings = []
    long = [row[0] for row in rows if len(row[1]) > LONG_CHARACTERS]
    if long:
        where = lines_named(long)
        message = (
            f"{where[0].upper()}{where[1:]}: more than {LONG_CHARACTERS:,} characters; models read the beginning only."
        )
        findings.append(Finding("very long message", message, tuple(long)))
    labels = collections.defaultdict(set)
    for _, _, label in rows:
        labels[label.casefold()].add(label)
    for variants in labels.values():
        if len(variants) > 1:
            names = " and ".join(repr(name) for name in sorted(variants))
            message = f"The labels {names} differ in capital letters only, and count as different classes."
            findings.append(Finding("labels that look alike", message))
    return findings
