"""One loader for each kind of data set, in one table; a loader imports what it needs when it is called."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from course_utils.data.registry import Entry
from course_utils.errors import CourseError
from course_utils.language import say

if TYPE_CHECKING:
    from course_utils.data.frames import Tables
    from course_utils.data.images import ImageData
    from course_utils.data.prose import Prose
    from course_utils.data.sounds import Sounds
    from course_utils.data.text import TextData


def load(
    entry: Entry, *, seed: int, split: str | None, progress: bool
) -> "ImageData | TextData | Prose | Tables | Sounds":
    """The set of an entry by the loader of its kind; see `course_utils.data.load`.

    Raises CourseError for a set that no loader knows, and for a split or files that cannot be had.
    """
    return LOADERS[entry.kind](entry, seed=seed, split=split, progress=progress)


def _embedded(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "ImageData":
    from course_utils.data import images

    if entry.name != "digits":
        raise _no_loader(entry, say("the only set that comes with a library is scikit-learn's digits."))
    return images.load_digits(split or "blocks", seed)


def _images(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "ImageData":
    from course_utils.data import images

    if not images.is_idx(entry):
        raise _no_loader(entry, say("the loader of images reads sets of four idx files named as MNIST's."))
    _one_split(entry, split)
    return images.load_idx(entry.name, progress)


def _shipped(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "TextData | Prose | Sounds":
    from course_utils.data import prose, sounds, tickets

    _one_split(entry, split)
    if entry.name in sounds.SHIPPED:
        return sounds.load_shipped(entry.name)
    if entry.name == prose.OWN:
        return prose.load_course_text()
    if entry.name not in tickets.FILES:
        known = ", ".join([*tickets.FILES, prose.OWN, *sounds.SHIPPED])
        raise _no_loader(entry, say("the sets that come with the course are {names}.", names=known))
    return tickets.load(entry.name)


def _text(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "TextData":
    from course_utils.data import text

    _one_split(entry, split)
    loaders = {"sst2": text.load_sst2, "chnsenticorp": text.load_chnsenticorp, "ag_news": text.load_ag_news}
    if entry.name not in loaders:
        raise _no_loader(entry, say("the published text sets are {names}.", names=", ".join(loaders)))
    return loaders[entry.name](progress)


def _prose(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "Prose":
    from course_utils.data import prose

    _one_split(entry, split)
    if entry.name != "tinyshakespeare":
        raise _no_loader(entry, say("the only published running text is tinyshakespeare."))
    return prose.load_tinyshakespeare(progress)


def _tables(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "Tables":
    from course_utils.data import frames

    _one_split(entry, split)
    if entry.name not in frames.READERS:
        raise _no_loader(entry, say("the sets of tables are {names}.", names=", ".join(frames.READERS)))
    return frames.load(entry.name, progress)


def _sounds(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "Sounds":
    from course_utils.data import sounds

    _one_split(entry, split)
    return sounds.load(entry.name, progress)


def _weights(entry: Entry, *, seed: int, split: str | None, progress: bool) -> "ImageData":
    raise CourseError(
        say(
            "{name} is a network, not a data set. Fetch it with `course data fetch {name}`; a chapter loads it itself.",
            name=entry.name,
        )
    )


# As in `registry.KINDS`; a new kind of set needs one more line here.
LOADERS: dict[str, Callable[..., "ImageData | TextData | Prose | Tables | Sounds"]] = {
    "embedded": _embedded,
    "images": _images,
    "shipped": _shipped,
    "text": _text,
    "prose": _prose,
    "tables": _tables,
    "sounds": _sounds,
    "weights": _weights,
}


def _no_loader(entry: Entry, known: str) -> CourseError:
    """``known`` is a sentence that says which sets of the kind have one."""
    words = "{name} has no loader: {known} Write one in course_utils/data/ and call it in loaders.py."
    return CourseError(say(words, name=entry.name, known=known))


def _one_split(entry: Entry, split: str | None) -> None:
    if split is not None:
        words = "{name} has one split, the published one; leave split={split} out."
        raise CourseError(say(words, name=entry.name, split=repr(split)))
