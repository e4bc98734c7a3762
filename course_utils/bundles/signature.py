"""Who made a bundle: an Ed25519 signature over its card, whose key is not in the bundle.

The card holds the hash of every file, so a signature over the card speaks for all of them. A hash alone lies beside
what it speaks for: whoever swaps the file swaps the hash. (D. J. Bernstein and others (2012), High-speed high-security
signatures, Journal of Cryptographic Engineering 2; RFC 8032.)
"""

import os
from pathlib import Path
from typing import Any

from course_utils import paths
from course_utils.bundles import files
from course_utils.errors import CourseError
from course_utils.language import say

SIGNATURE = f"{files.CARD}.sig"


def new_keys(path: Path | str) -> tuple[Path, Path]:
    """Write a private key to ``path``, readable by its owner only, and the public one beside it, ``.pub``.

    Raises CourseError where one of them is there already: a key that is overwritten is lost.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, public = Path(path), Path(f"{path}.pub")
    for each in (private, public):
        if each.exists():
            raise CourseError(say("{file} is there already; a key is never overwritten.", file=paths.display(each)))
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    known = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
    public.write_bytes(known)
    return private, public


def sign(folder: Path | str, private_key: Path | str) -> Path:
    """Sign a bundle that is whole; returns the signature's file. Raises CourseError for what is no bundle or no key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    folder = Path(folder)
    files.verify(folder, files.read_card(folder))
    key = _key(Path(private_key), Ed25519PrivateKey)
    path = folder / SIGNATURE
    path.write_bytes(key.sign((folder / files.CARD).read_bytes()).hex().encode() + b"\n")
    return path


def check_signature(folder: Path | str, public_key: Path | str) -> None:
    """Raise CourseError unless the bundle's card was signed with the private counterpart of ``public_key``.

    Whether the files are those of the card is checked where they are loaded.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    folder = Path(folder)
    shown = paths.display(folder)
    key = _key(Path(public_key), Ed25519PublicKey)
    try:
        signature = bytes.fromhex((folder / SIGNATURE).read_text("ascii"))
        key.verify(signature, (folder / files.CARD).read_bytes())
    except OSError as error:
        raise CourseError(
            say(
                "{folder} is not signed ({why}); it is not loaded. Sign it where it was made: course sign",
                folder=shown,
                why=error.strerror or str(error),
            )
        ) from error
    except (InvalidSignature, ValueError) as error:
        raise CourseError(
            say(
                "{folder} was changed after it was signed, or another key signed it than the one of {key}; it is not "
                "loaded.",
                folder=shown,
                key=paths.display(Path(public_key)),
            )
        ) from error


def _key(path: Path, kind: type) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    private = "Private" in kind.__name__
    try:
        content = path.read_bytes()
        key = (
            serialization.load_pem_private_key(content, None) if private else serialization.load_pem_public_key(content)
        )
    except OSError as error:
        raise CourseError(
            say("{file} cannot be read ({why}).", file=paths.display(path), why=error.strerror or str(error))
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, kind):
        wanted = say("private") if private else say("public")
        raise CourseError(
            say("{file} is no {wanted} Ed25519 key in PEM.", file=paths.display(path), wanted=wanted)
        ) from None
    return key
