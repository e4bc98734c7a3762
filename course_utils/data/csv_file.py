"""The file itself: bytes to text, text to records, as spreadsheets and databases of all kinds write them.

The encoding and the separator are found out. A first line ``sep=;``, blanks beside a quotation mark, quotation marks
behind a backslash, and empty fields too many or too few are other programs' habits, not mistakes.
"""

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_utils import paths
from course_utils.data.finding import Finding, some
from course_utils.data.labels import tidy, visible
from course_utils.errors import CourseError, near_misses
from course_utils.language import say

MOST_BYTES = 200 * 2**20
MOST_HEADER = 5_000_000  # characters, in which the header ends
MOST_CHARACTERS = 10_000_000  # of one field: more is a quote that was never closed
SEPARATORS = (",", ";", "\t", "|")
_COLUMNS_SHOWN = 20
_LINE_END = r"(?:\r\n|\r|\n)"
_DECLARED = re.compile(
    rf'\ufeff?(?:[^\S\r\n]*{_LINE_END})*[^\S\r\n]*"?sep *= *([^\s"\w]|\t)"?(?:[,;\t| ]|\1)*{_LINE_END}', re.IGNORECASE
)
_RARE_BLANKS = "\t\u00a0\u3000\u2007\u202f\u200b\ufeff"
_WESTERN = {
    "English", "French", "German", "Spanish", "Italian", "Portuguese", "Dutch", "Swedish", "Danish", "Norwegian",
    "Finnish",
}  # fmt: skip

Record = tuple[int, list[str]]  # the line on which it begins, and its fields


@dataclass(frozen=True)
class Table:
    """A file's records: the names of its columns, a record for each row, and how it was read.

    ``width``: how many fields the header has, with those at its end that name nothing.
    """

    columns: list[str]
    width: int
    records: list[Record]
    separator: str
    encoding: str
    findings: list[Finding]


def read(path: Path, wanted: tuple[str, ...]) -> Table:
    """Read a CSV file that has the columns ``wanted``; blank rows are no records.

    A record has a field for each column: short ones are filled up with empty fields, and empty fields at the end are
    cut off. One that still has more fields than there are names is kept as it is. Raises CourseError for a file that
    cannot be read, is larger than 200 MiB or no text, and for a column that is not there or twice.
    """
    content, encoding, findings = _decoded(path)
    content, first, separators = _declared(content)
    separator, columns, width = _header(content, separators, wanted, path)
    for name in wanted:
        if columns.count(name) > 1:
            raise CourseError(
                say(
                    "{file} has {n} columns called {name!r}; rename all but one.",
                    file=paths.display(path),
                    n=columns.count(name),
                    name=name,
                )
            )
    records = _body(content, first, separator, len(columns), width, path)
    return Table(columns, width, records, separator, encoding, findings)


def column_name(name: str) -> str:
    """A column's name as it is compared: composed letters, single blanks, nothing invisible."""
    return tidy(name)


def empty(field: str) -> bool:
    """Whether nothing can be seen in a field."""
    return not field.strip() or not visible(field).strip()


# ------------------------------------------------------------------------------------------------------ bytes to text


def _decoded(path: Path) -> tuple[str, str, list[Finding]]:
    shown = paths.display(path)
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise CourseError(say("{file} is a folder; name the CSV file in it.", file=shown))
        if size > MOST_BYTES:
            raise CourseError(
                say(
                    "{file} has {size:,.0f} MiB, more than the {most} MiB that are read. Take a sample of its rows: "
                    "some ten thousand messages are plenty.",
                    file=shown,
                    size=size / 2**20,
                    most=MOST_BYTES // 2**20,
                )
            )
        raw = path.read_bytes()
    except OSError as error:
        raise CourseError(say("{file} cannot be read: {why}.", file=shown, why=error.strerror or str(error))) from error
    if not raw.strip():
        raise CourseError(say("{file} is empty; expected is a header line and a message a row.", file=shown))
    for mark, codec in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            try:
                return raw.decode(codec), codec, []
            except UnicodeDecodeError:
                break
    if raw.startswith(b"PK\x03\x04"):
        raise CourseError(
            say(
                "{file} is an Excel workbook or a zip archive, not a CSV file. Open it and save the sheet as "
                '"CSV UTF-8".',
                file=shown,
            )
        )
    if b"\x00" in raw[: 1 << 20]:
        raise CourseError(
            say(
                "{file} is not a text file (byte {place:,} is zero); expected is a CSV file.",
                file=shown,
                place=raw.index(0),
            )
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
            say(
                "{file} is not a text file in an encoding that can be recognised (byte {place:,} is no UTF-8). Save it "
                'as "CSV UTF-8".',
                file=paths.display(path),
                place=error.start,
            )
        )
    line = raw.count(b"\n", 0, error.start) + 1
    message = say(
        "The file is not UTF-8 (line {line}); it was read as {encoding}. Look whether accents and other letters "
        "came out right.",
        line=line,
        encoding=encoding,
    )
    return content, encoding, [Finding("encoding guessed", message, (line,))]


# ---------------------------------------------------------------------------------------------------- text to records


def _declared(content: str) -> tuple[str, int, tuple[str, ...]]:
    """(the content without a first line "sep=;", the line on which it begins, the separators to try)."""
    match = _DECLARED.match(content)
    if not match:
        return content, 1, SEPARATORS
    declared = match.group(1)
    first = 1 + len(re.findall(_LINE_END, match.group()))
    return content[match.end() :], first, (declared, *(one for one in SEPARATORS if one != declared))


def _header(
    content: str, separators: tuple[str, ...], wanted: tuple[str, ...], path: Path
) -> tuple[str, list[str], int]:
    """The separator, the names of the columns without the nameless ones at the end, how many there are with them."""
    found: dict[str, list[str]] = {}
    for separator in separators:
        for attempted, escape in _ways(content[:MOST_HEADER], separator):
            try:
                records = _parsed(attempted, separator, escape)
                fields = next(fields for _, fields in records if not all(map(empty, fields)))
            except (_Unreadable, StopIteration):
                continue
            columns = _without_empty_end([column_name(name) for name in fields], 0)
            found.setdefault(separator, columns)
            if set(wanted) <= set(columns):
                return separator, columns, len(fields)
    if not found:
        raise CourseError(
            say("The first line of {file} cannot be read as the header of a CSV file.", file=paths.display(path))
        )
    likeliest = max(found.values(), key=len)
    missing = next(name for name in wanted if name not in likeliest)
    # A file without line ends has all its words in its header.
    hint = near_misses(missing, likeliest) if len(likeliest) <= _COLUMNS_SHOWN else ""
    raise CourseError(
        say(
            "{file} has no column {name}; it has {names}.",
            file=paths.display(path),
            name=some([missing]),
            names=some(likeliest, _COLUMNS_SHOWN),
        )
        + (hint if "?" in hint else "")
    )


def _ways(content: str, separator: str) -> Iterator[tuple[str, str | None]]:
    """The ways in which programs write, the likeliest first: the content for csv, and what escapes a quotation mark."""
    if any(blank in content for blank in _RARE_BLANKS):  # csv knows the common blank only
        content = _quotes_after_separators(content, separator)
    yield content, None
    yield _quotes_before_separators(content, separator), None
    if '\\"' in content:
        yield content, "\\"


def _body(content: str, first: int, separator: str, named: int, width: int, path: Path) -> list[Record]:
    """The records below the header, read in the way of writing that leaves the fewest rows of another length."""
    best: list[Record] | None = None
    least, refused = 0, None
    for attempted, escape in _ways(content, separator):
        try:
            rows, odd = _rows(attempted, first, separator, named, width, escape)
            if best is None or odd < least:
                best, least = rows, odd
            if not odd:
                break
        except _Unreadable as error:
            refused = refused or error
    if best is None:
        raise CourseError(
            say(
                "{file} cannot be read from line {line} on ({why}): a quotation mark opens or closes there in the "
                "wrong place. Inside quotes, write two for one.",
                file=paths.display(path),
                line=refused.line + first - 1,
                why=str(refused),
            )
        ) from refused
    return best


def _rows(
    content: str, first: int, separator: str, named: int, width: int, escape: str | None
) -> tuple[list[Record], int]:
    """The records after the header with ``named`` fields at least, and how many are longer than the header."""
    found, odd, header = [], 0, True
    for line, fields in _parsed(content, separator, escape):
        if header:
            header = all(map(empty, fields))
            continue
        if len(fields) < named:
            fields += [""] * (named - len(fields))
        elif len(fields) > named:
            fields = _without_empty_end(fields, named)
            odd += len(fields) > width
        found.append((line + first - 1, fields))
    return found, odd


def _without_empty_end(fields: list[str], least: int) -> list[str]:
    end = len(fields)
    while end > least and empty(fields[end - 1]):
        end -= 1
    return fields[:end]


def _blanks(separator: str) -> str:
    """A pattern for blanks of all kinds, and what cannot be seen, within a line; the separator is none of them."""
    return rf"(?:(?!{re.escape(separator)})[^\S\r\n]|[\u200b\ufeff])+"


def _quotes_after_separators(content: str, separator: str) -> str:
    """The content with no blanks between a separator or a line's beginning and a quotation mark."""
    return re.sub(rf'(^|{re.escape(separator)}){_blanks(separator)}"(?!")', r'\1"', content, flags=re.MULTILINE)


def _quotes_before_separators(content: str, separator: str) -> str:
    """The content with no blanks between a quotation mark and a separator or a line's end."""
    return re.sub(rf'"{_blanks(separator)}(?={re.escape(separator)}|[\r\n]|\Z)', '"', content)


def _parsed(content: str, separator: str, escape: str | None = None) -> Iterator[Record]:
    csv.field_size_limit(MOST_CHARACTERS)
    reader = csv.reader(
        io.StringIO(content, newline=""),
        delimiter=separator,
        skipinitialspace=True,
        escapechar=escape,
        doublequote=True,
        strict=True,
    )
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
