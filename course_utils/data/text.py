"""Text sets for classification: three parts of texts with labels, whatever their source."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils import paths
from course_utils.data import fetch, registry
from course_utils.errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

# SST-2 publishes no labels for its test file: its dev file is the test part here, and validation is cut off training.
SST2_VALIDATION = 2_000
# AG News' published test file, split anew: its training file is not needed for a lesson, and five times as large.
AG_NEWS_PARTS = {"train": 0.6, "validation": 0.1, "test": 0.3}


@dataclass(frozen=True, eq=False, repr=False)
class TextPart:
    """Texts and their labels, int64 (n,), which count the set's class names; ``frame`` has every column."""

    frame: "pd.DataFrame"
    labels: np.ndarray

    @property
    def texts(self) -> list[str]:
        """The texts, in the frame's order."""
        return self.frame["text"].tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"TextPart({len(self):,} texts)"


@dataclass(frozen=True, eq=False, repr=False)
class TextData:
    """A text set: its name, three parts, the names of the classes, and the language ("en" or "zh")."""

    name: str
    train: TextPart
    validation: TextPart
    test: TextPart
    class_names: tuple[str, ...]
    language: str

    def __repr__(self) -> str:
        sizes = ", ".join(f"{part} {len(getattr(self, part)):,}" for part in ("train", "validation", "test"))
        return f"TextData({self.name!r}: {sizes}; {len(self.class_names)} classes)"

    def summary(self) -> "pd.DataFrame":
        """One row a part: the number of texts, their median length in characters, the share of each class."""
        import pandas as pd

        rows = {}
        for name in ("train", "validation", "test"):
            part = getattr(self, name)
            shares = np.bincount(part.labels, minlength=len(self.class_names)) / len(part)
            lengths = int(np.median([len(text) for text in part.texts]))
            rows[name] = {"texts": len(part), "characters": lengths, **dict(zip(self.class_names, shares, strict=True))}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("part")


def text_data(name: str, frames: "dict[str, pd.DataFrame]", class_names: tuple[str, ...], language: str) -> TextData:
    """Frames with the columns text and label (a class name) → a TextData. Raises CourseError for an unknown label."""
    number = {class_name: k for k, class_name in enumerate(class_names)}
    parts = {}
    for part, frame in frames.items():
        unknown = sorted(set(frame["label"]) - set(number))
        if unknown:
            raise CourseError(f"{name} has the label {unknown[0]!r} in {part}; known are {', '.join(class_names)}.")
        labels = frame["label"].map(number).to_numpy(dtype=np.int64)
        labels.flags.writeable = False
        parts[part] = TextPart(frame.reset_index(drop=True), labels)
    return TextData(name, **parts, class_names=class_names, language=language)


def _table(path: Path, separator: str, columns: list[str] | None = None) -> "pd.DataFrame":
    """A published table as a frame of texts. TSV files have no quotes; CSV files have a quotation mark's own rules."""
    import pandas as pd

    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    try:
        return pd.read_csv(
            io.StringIO(path.read_text("utf-8"), newline=""),
            sep=separator,
            quoting=quoting,
            dtype=str,
            keep_default_na=False,
            header=None if columns else 0,
            names=columns,
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise CourseError(f"{paths.display(path)} cannot be read as a table ({error}).") from error


def load_sst2(progress: bool = True) -> TextData:
    """SST-2: sentences and phrases of film reviews, negative or positive. Test is the published dev file (872 rows).

    Validation is the last 2,000 rows of the training file, whose rows are mostly phrases cut out of longer sentences: a
    phrase may stand in training and in validation inside its sentence, so validation flatters. The test does not.
    """
    files = fetch.fetch("sst2", progress)
    names = registry.entry("sst2").class_names
    frames = {
        part: _table(files[f"{part}.tsv"], "\t").rename(columns={"sentence": "text"}) for part in ("train", "dev")
    }
    for frame in frames.values():
        frame["text"] = frame["text"].str.strip()
        frame["label"] = frame["label"].map(dict(zip("01", names, strict=True)))
    train = frames["train"]
    cut = len(train) - SST2_VALIDATION
    return text_data("sst2", {"train": train[:cut], "validation": train[cut:], "test": frames["dev"]}, names, "en")


def load_chnsenticorp(progress: bool = True) -> TextData:
    """ChnSentiCorp: Chinese reviews of hotels, laptops and books, negative or positive, in the published parts.

    The published parts overlap: hundreds of test texts stand in training too. They are left as they are: finding them
    is the lesson.
    """
    files = fetch.fetch("chnsenticorp", progress)
    names = registry.entry("chnsenticorp").class_names
    frames = {}
    for part, file in {"train": "train.tsv", "validation": "dev.tsv", "test": "test.tsv"}.items():
        frame = _table(files[file], "\t").rename(columns={"text_a": "text"})
        frame["label"] = frame["label"].map(dict(zip("01", names, strict=True)))
        frames[part] = frame[["text", "label"]]
    return text_data("chnsenticorp", frames, names, "zh")


def load_ag_news(progress: bool = True) -> TextData:
    """AG News: titles and first sentences of news in four classes; the published test file, split anew by chance."""
    files = fetch.fetch("ag_news", progress)
    names = registry.entry("ag_news").class_names
    frame = _table(files["test.csv"], ",", ["label", "title", "description"])
    frame["text"] = (frame["title"] + " " + frame["description"]).str.replace("\\", " ", regex=False)
    frame["label"] = frame["label"].map(dict(zip("1234", names, strict=True)))
    frame = frame.iloc[np.random.default_rng(0).permutation(len(frame))]
    ends = np.cumsum([round(share * len(frame)) for share in AG_NEWS_PARTS.values()])
    starts = [0, *ends[:-1]]
    frames = {part: frame[a:b] for part, a, b in zip(AG_NEWS_PARTS, starts, [*ends[:-1], len(frame)], strict=True)}
    return text_data("ag_news", frames, names, "en")
