"""A bundle on a disk: a folder with a card, ``model.json``, and files that the card knows by their hashes.

Written whole or not at all, and verified before anything of it is loaded.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say

SCHEMA = 2  # 1 had networks as Keras saves them, and encoders beside the bundle
FORMAT = "course model"
CARD = "model.json"


def write(folder: Path | str, facts: dict[str, Any], names: Iterable[str], fill: Callable[[Path], None]) -> dict:
    """Write a bundle to ``folder`` in place of what was there, and return its card.

    ``fill(folder)`` writes the files ``names`` into the folder that it is given; ``facts`` is what the card says beside
    their hashes and sizes.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        fill(beside)
        files = {
            name: {"sha256": paths.sha256(beside / name), "bytes": (beside / name).stat().st_size} for name in names
        }
        card = {"format": FORMAT, "schema": SCHEMA, **facts, "files": files}
        (beside / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
        beside.chmod(0o755)
        replace_folder(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return card


def amend(folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Say more in the card of a bundle, or say it otherwise; its files stay as they are. Returns the new card."""
    card = {**read_card(folder), **facts}
    paths.write_atomic(folder / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return card


def replace_folder(new: Path, folder: Path) -> None:
    """Give a finished folder its name; what had the name before is deleted."""
    old = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
        folder.rename(old / folder.name)
    new.rename(folder)
    if old:
        shutil.rmtree(old, ignore_errors=True)


def read_card(folder: Path) -> dict[str, Any]:
    """A bundle's card, checked for its form; CourseError where there is none, or of another version."""
    path = folder / CARD
    shown = paths.display(path)
    try:
        card = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CourseError(
            say(
                "{file} cannot be read ({why}); expected is the folder model/ of a comparison.",
                file=shown,
                why=error.strerror or str(error),
            )
        ) from error
    except ValueError as error:
        raise CourseError(
            say("{file} is not JSON ({why}); the model is not loaded.", file=shown, why=str(error))
        ) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise CourseError(say("{file} does not describe a model of the course.", file=shown))
    if card.get("schema") != SCHEMA:
        raise CourseError(
            say(
                "{file} has the schema {found!r}; this version of the course reads {known}. Update the course, or run "
                "the comparison again.",
                file=shown,
                found=card.get("schema"),
                known=SCHEMA,
            )
        )
    files = card.get("files")
    if not isinstance(files, dict) or not all(_is_file(name, facts) for name, facts in files.items()):
        raise CourseError(say("{file} lacks the hashes of its files; the model is not loaded.", file=shown))
    return card


def _is_file(name: str, facts: Any) -> bool:
    plain = bool(name) and Path(name).name == name and "\\" not in name and name not in (".", "..", CARD)
    return plain and isinstance(facts, dict) and isinstance(facts.get("sha256"), str) and "bytes" in facts


def verify(folder: Path, card: dict[str, Any]) -> None:
    """Raise CourseError unless each file of the card is there and has the hash that the card has."""
    for name, facts in card["files"].items():
        path = folder / name
        try:
            found = paths.sha256(path)
        except OSError as error:
            raise CourseError(
                say(
                    "{file} cannot be read ({why}); the model is not whole.",
                    file=paths.display(path),
                    why=error.strerror or str(error),
                )
            ) from None
        if found != facts["sha256"]:
            raise CourseError(
                say(
                    "{file} is not the file that was saved (sha256 wanted {wanted}, found {found}); the model is not "
                    "loaded. Run the comparison again, or copy the whole folder anew.",
                    file=paths.display(path),
                    wanted=facts["sha256"],
                    found=found,
                )
            )


def size(card: dict[str, Any]) -> int:
    """Bytes of a bundle's files."""
    return sum(file["bytes"] for file in card["files"].values())
