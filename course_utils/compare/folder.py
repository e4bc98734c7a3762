"""The folder of a comparison: made and marked, never mistaken for another's, and written whole."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course_utils import bundles, paths
from course_utils.compare.comparison import SCHEMA
from course_utils.compare.recommendation import Recommendation
from course_utils.compare.split import Split
from course_utils.errors import CourseError, NotKept
from course_utils.language import say

MARKER = "comparison.json"
OURS = (MARKER, "candidates", "model", "report.html", "report.json", "possible_wrong_labels.csv")


def prepare(out: Path | str | None, split: Split, fresh: bool) -> Path:
    """The folder for the results, made and marked; CourseError where it holds anything else."""
    folder = Path(out).expanduser() if out is not None else Path(f"compare-{Path(split.name).stem}")
    shown, data = paths.display(folder), split.fingerprint
    try:
        if folder.exists() and not folder.is_dir():
            raise CourseError(say("{path} is a file; --out names a folder.", path=shown))
        marker = folder / MARKER
        if marker.is_file():
            try:
                known = json.loads(marker.read_text("utf-8"))
                before, rows = known["data"], known["name"]
            except (ValueError, KeyError, TypeError):
                before, rows = None, say("something that cannot be read")
            if fresh:
                for name in OURS:
                    path = folder / name
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
            elif before != data:
                raise CourseError(
                    say(
                        "{folder} holds the comparison of other data ({data}, or another state or split of it). Name "
                        "another folder with --out, or start it anew with --fresh.",
                        folder=shown,
                        data=rows,
                    )
                )
        elif folder.is_dir() and any(folder.iterdir()):
            raise CourseError(
                say("{folder} holds files that are not of a comparison; name a new folder with --out.", folder=shown)
            )
        (folder / "candidates").mkdir(parents=True, exist_ok=True)
        content = {"schema": SCHEMA, "name": split.name, "data": data, "sizes": split.sizes()}
        paths.write_atomic(marker, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise CourseError(
            say(
                "{folder} cannot be written ({why}); name another folder with --out.",
                folder=shown,
                why=error.strerror or str(error),
            )
        ) from error
    return folder


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """NotKept where something cannot be written to the folder, because the disk is full, say."""
    try:
        yield
    except OSError as error:
        raise NotKept(
            say(
                "{folder} cannot be written ({why}). What had finished before is kept: make room, and run the same "
                "again.",
                folder=paths.display(folder),
                why=error.strerror or str(error),
            )
        ) from error


def keep_chosen(
    folder: Path, recommendation: Recommendation | None, decision: dict[str, Any], trained: Path | None = None
) -> None:
    """Put the recommended model into ``model/``, with what was decided about it (threshold, limits) in its card.

    ``trained`` is where it stands (default: the candidate as it was measured). Where none is recommended, none stands
    in ``model/``.
    """
    target = folder / "model"
    if recommendation is None or recommendation.ship is None:
        shutil.rmtree(target, ignore_errors=True)
        return
    beside = Path(tempfile.mkdtemp(dir=folder, prefix=".model."))
    try:
        new = beside / "model"
        shutil.copytree(trained or folder / "candidates" / recommendation.ship, new)
        bundles.amend(new, {"decision": decision})
        bundles.replace_folder(new, target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
