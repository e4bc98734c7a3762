"""Tables of real data that stand in packages of Python's index: fetched by name and hash, read as frames, never run.

The packages' own code stays unused, so nothing of them is installed, and a table reads the same on every Python.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import paths
from course_utils.data import fetch
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Tables:
    """The tables of one data set by their names: ``data.load("movielens").frames["ratings"]``."""

    name: str
    frames: "dict[str, pd.DataFrame]"

    def __repr__(self) -> str:
        sizes = (f"{name} {frame.shape[0]:,} × {frame.shape[1]}" for name, frame in self.frames.items())
        return f"Tables({self.name!r}: {', '.join(sizes)})"


def load(name: str, progress: bool = True) -> Tables:
    """The tables of one set; raises CourseError for files that cannot be had or that are not the tables expected."""
    files = fetch.fetch(name, progress)
    try:
        return Tables(name, READERS[name](files))
    except (ValueError, KeyError, IndexError, OSError, EOFError) as error:  # pandas' own errors are ValueErrors
        places = ", ".join(paths.display(path) for path in files.values())
        words = "{name} cannot be read as its tables ({error}). Fetch it again: course data fetch {name} ({places})."
        raise CourseError(say(words, name=name, error=error, places=places)) from error


def _movielens(files: dict[str, Path]) -> "dict[str, pd.DataFrame]":
    """Ratings (user, item, rating of 1 to 5, time), movies (item, title, year, genres) and users."""
    import pandas as pd

    def read(ending: str, columns: dict[str, str], **as_text: type) -> pd.DataFrame:
        frame = pd.read_csv(files[f"ml-100k.{ending}"], sep="\t", quoting=3, dtype=as_text)
        frame.columns = [column.split(":")[0] for column in frame.columns]  # the header names a type with each
        return frame.rename(columns=columns)[list(columns.values())]

    ratings = read("inter", {"user_id": "user", "item_id": "item", "rating": "rating", "timestamp": "time"})
    ratings["time"] = pd.to_datetime(ratings["time"], unit="s")
    names = {"item_id": "item", "movie_title": "title", "release_year": "year", "class": "genres"}
    movies = read("item", names)
    movies["year"] = pd.to_numeric(movies["year"], errors="coerce").astype("Int64")  # one film has none
    users = read("user", {"user_id": "user", "age": "age", "gender": "gender", "occupation": "occupation"})
    return {"ratings": ratings, "movies": movies, "users": users}


def _cmudict(files: dict[str, Path]) -> "dict[str, pd.DataFrame]":
    """Words: word, its pronunciation as ARPAbet phonemes with stress, apart by spaces, and its number (1 the first)."""
    import pandas as pd

    rows = []
    for line in files["cmudict.dict"].read_text("utf-8").splitlines():
        word, _, sounds = line.split(" #")[0].strip().partition(" ")
        word, _, number = word.rstrip(")").partition("(")
        rows.append((word, sounds, int(number or 1)))
    return {"words": pd.DataFrame(rows, columns=["word", "pronunciation", "number"])}


def _sp500(files: dict[str, Path]) -> "dict[str, pd.DataFrame]":
    """Days of the index from 1999 to 2018: date, open, high, low, close, volume."""
    import pandas as pd

    frame = pd.read_csv(files["sp500.csv.gz"])
    frame["Date"] = pd.to_datetime(frame["Date"], format="%m/%d/%Y")
    frame.columns = [column.lower() for column in frame.columns]
    return {"days": frame[["date", "open", "high", "low", "close", "volume"]]}


def _mortgages(files: dict[str, Path]) -> "dict[str, pd.DataFrame]":
    """Applications for a mortgage in Boston, one a row, under the columns' published names (card: what they mean)."""
    import pandas as pd

    return {"applications": pd.read_csv(files["loanapp.csv.bz2"])}


def _german_credit(files: dict[str, Path]) -> "dict[str, pd.DataFrame]":
    """Applicants for a loan, one a row; ``risk`` is 1 for one that was paid back, 0 for one that was not."""
    import pandas as pd

    return {"applicants": pd.read_csv(files["german.csv"], keep_default_na=False)}


READERS: "dict[str, Callable[[dict[str, Path]], dict[str, pd.DataFrame]]]" = {
    "movielens": _movielens,
    "cmudict": _cmudict,
    "sp500": _sp500,
    "mortgages": _mortgages,
    "german_credit": _german_credit,
}
