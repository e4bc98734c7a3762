"""From a folder to an application: the bundle is verified, and loaded, before any port is opened."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import bundles, paths
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving.limits import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

_SHORTEST_KEY = 16


def application_of(
    bundle: Path, *, limits: Limits | None = None, signer: Path | None = None, name: str | None = None, **more: Any
) -> "FastAPI":
    """The application of a bundle; ``signer`` is the public key that must have signed it, ``name`` what it is called.

    ``more`` is for `application`.

    Raises CourseError for a folder that is no bundle, lacks a file, has a changed one or no such signature.
    """
    model, card = opened(bundle, signer=signer, name=name)
    if model.kind == "decoder":
        from course_utils.serving.decoding import service
    else:
        from course_utils.serving import service
    return service.application(model, card, limits, **more)


def opened(bundle: Path, *, signer: Path | None = None, name: str | None = None) -> tuple[Any, dict[str, Any]]:
    """A bundle's model and its card with the name that it is called by. Raises CourseError as `application_of`."""
    bundle = Path(bundle).expanduser()
    if signer is not None:
        bundles.check_signature(bundle, signer)
    card = bundles.read_card(bundle)
    return bundles.load_model(bundle), {"name": name or name_of(bundle), **card}


def name_of(bundle: Path) -> str:
    """What a bundle is called: its folder, or for ``compare-tickets/model`` the folder around it."""
    whole = bundle.absolute()
    return whole.parent.name if whole.name == "model" and whole.parent.name else whole.name


def read_key(file: Path) -> str:
    """The API key in a file: its only line. Raises CourseError for another content, or fewer than 16 characters."""
    shown = paths.display(file)
    try:
        key = file.read_text("utf-8").strip()
    except OSError as error:
        raise CourseError(
            say("The API key in {file} cannot be read ({why}).", file=shown, why=error.strerror or str(error))
        ) from None
    except UnicodeDecodeError:
        key = ""
    if len(key) < _SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise CourseError(
            say(
                "{file} must hold one API key of at least {n} letters and digits; this makes one: "
                'python -c "import secrets; print(secrets.token_urlsafe(32))" > {file}',
                file=shown,
                n=_SHORTEST_KEY,
            )
        )
    return key
