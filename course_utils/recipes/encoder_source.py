"""Where a pretrained encoder comes from: the registry, a folder of your own, or a preset of keras_hub.

A name means, in this order: a set of the registry ("minilm"); a folder in Hugging Face's layout with a BERT in it
(``config.json``, ``model.safetensors``, ``tokenizer.json``); a preset of keras_hub ("bert_base_zh"), which fetches it.
"""

import json
from pathlib import Path
from typing import Any

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.language import say

FILES = ("config.json", "model.safetensors", "tokenizer.json")


def in_registry(name: str) -> bool:
    """Whether the course itself knows the encoder's files and where they are to be had."""
    from course_utils.data import registry

    return name in registry.names()


def folder(name: str) -> Path | None:
    """The folder in Hugging Face's layout that a name means; None where it means none."""
    found = Path(name).expanduser()
    if in_registry(name) or "://" in name or (found / "model.weights.h5").is_file():  # the last: a preset on the disk
        return None
    return found if found.is_dir() or len(found.parts) > 1 else None


def label(name: str) -> str:
    """What an encoder is called where others may read it: of a folder its own name, not the way to it."""
    found = folder(name)
    return name if found is None else f"folder {found.resolve().name}"


def files(name: str) -> dict[str, Path]:
    """The files of an encoder in a folder. Raises CourseError for a folder without them, or with no BERT in it."""
    where = folder(name)
    missing = [one for one in FILES if not (where / one).is_file()]
    if missing:
        raise CourseError(
            say(
                "{folder} holds no encoder: {missing} missing; expected is a BERT in Hugging Face's layout ({files}).",
                folder=paths.display(where),
                missing=", ".join(missing),
                files=", ".join(FILES),
            )
        )
    kind = _config(where).get("model_type", "bert")
    if kind != "bert":
        raise CourseError(
            say("{folder} holds a model of type {kind!r}; expected: bert.", folder=paths.display(where), kind=kind)
        )
    return {one: where / one for one in FILES}


def identity(name: str) -> dict[str, Any]:
    """An encoder by its name and its files' hashes and sizes; those of a preset of keras_hub are its own affair.

    Raises CourseError as `files` does.
    """
    from course_utils.data import registry

    if in_registry(name):
        known = {file.name: {"sha256": file.sha256, "bytes": file.size} for file in registry.entry(name).files}
    elif folder(name) is not None:
        known = {one: {"sha256": paths.sha256(path), "bytes": path.stat().st_size} for one, path in files(name).items()}
    else:
        known = {}
    return {"name": name, "files": known}


def layers_and_width(name: str) -> tuple[int, int] | None:
    """How many layers an encoder in a folder has, and how long its vectors are; None where that is not known yet."""
    if in_registry(name) or folder(name) is None:
        return None
    said = _config(files(name)["config.json"].parent)
    return int(said["num_hidden_layers"]), int(said["hidden_size"])


def _config(where: Path) -> dict[str, Any]:
    """What a BERT's config.json says. Raises CourseError for one that says not how large it is."""
    path = where / "config.json"
    try:
        said = json.loads(path.read_text("utf-8"))
        if min(int(said["num_hidden_layers"]), int(said["hidden_size"])) < 1:
            raise ValueError(say("num_hidden_layers and hidden_size should be 1 or more"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = f"{type(error).__name__}: {str(error)[:120]}"
        raise CourseError(say("{file} cannot be read ({why}).", file=paths.display(path), why=why)) from error
    return said
