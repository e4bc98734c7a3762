"""A model put into a folder, and out of one again once the folder has been verified."""

from pathlib import Path
from typing import Any

from course_utils import __version__, paths, runtime
from course_utils.bundles import files, graph
from course_utils.bundles.models import Model
from course_utils.bundles.networks import KINDS
from course_utils.errors import CourseError
from course_utils.language import say

_PACKAGES = ("numpy", "scikit-learn", "keras", "keras-nlp", "tensorflow", "jax", "onnxruntime", "tf2onnx")


def save(model: Model, folder: Path | str, **facts: Any) -> dict[str, Any]:
    """Write a model to ``folder``, whole or not at all, in place of what was there; returns its card.

    ``facts`` are said in the card besides: what it was trained on, with which seed.
    """
    said = {
        "kind": model.kind,
        "class_names": list(model.class_names),
        "language": model.language,
        "settings": model.settings(),
        "versions": versions(),
        **facts,
    }
    return files.write(folder, said, model.all_files(), model.write)


def load_model(folder: Path | str) -> Model:
    """A saved model: ``load_model("compare-tickets/model").predict_proba(texts)``.

    Raises CourseError, before anything is loaded, for a folder that is no such model, for a file whose hash is not the
    recorded one.
    """
    folder = Path(folder).expanduser()
    card = read_card(folder)
    files.verify(folder, card)
    try:
        return KINDS[card["kind"]].read(folder, card)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CourseError(
            say(
                "{folder} holds no model that this version of the course can load ({kind}: {why}). Run the comparison "
                "again with --fresh.",
                folder=paths.display(folder),
                kind=type(error).__name__,
                why=str(error)[:200],
            )
        ) from error


def read_card(folder: Path) -> dict[str, Any]:
    """A bundle's card, checked for what every model's reader relies on. Raises CourseError."""
    card = files.read_card(folder)
    shown = paths.display(folder / files.CARD)
    if card.get("kind") not in KINDS:
        raise CourseError(
            say(
                "{file} has the unknown kind {kind!r}; known: {kinds}.",
                file=shown,
                kind=card.get("kind"),
                kinds=", ".join(KINDS),
            )
        )
    whole = (
        set(KINDS[card["kind"]].files) <= set(card["files"])
        and isinstance(card.get("class_names"), list)
        and isinstance(card.get("settings"), dict)
    )
    if not whole:
        raise CourseError(say("{file} lacks files, class_names or settings; the model is not loaded.", file=shown))
    return card


def needs_keras(folder: Path) -> bool:
    """Whether the model in a folder answers by Keras: it was trained on a backend that exports no ONNX."""
    return graph.KERAS in read_card(folder)["files"]


def versions() -> dict[str, str]:
    """The versions of what a model depends on, as far as they are installed."""
    return {"course": __version__, **runtime.versions(_PACKAGES)}
