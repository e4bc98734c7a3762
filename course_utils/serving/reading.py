"""What a request says, read strictly: a list of texts, or an array of images; else a `Refusal` that says why.

Nothing that a client sent is repeated in a sentence, so that a log may hold every sentence.
"""

import base64
import binascii
import json
import struct
from typing import Any

import numpy as np

from course_utils.language import say
from course_utils.serving.limits import Limits, Refusal

SIDE = 28
_PNG = b"\x89PNG\r\n\x1a\n"


def body_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. No NaN and no Infinity, which JSON does not have."""
    try:
        found = json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise meaningless(say("The body is not UTF-8.")) from None
    except (ValueError, RecursionError):  # also: a whole number of thousands of digits
        raise meaningless(say("The body is not JSON; expected is one JSON object.")) from None
    if not isinstance(found, dict):
        raise meaningless(say("The body is not a JSON object."))
    return found


def items(request: dict[str, Any], inputs: str, limits: Limits) -> list[str] | np.ndarray:
    """The items of a request to /v1/predict: texts, or uint8 (n, 28, 28), as the model's ``inputs`` are."""
    known = ("texts",) if inputs == "texts" else ("images", "images_png")
    if len(request) != 1 or next(iter(request)) not in known:
        expected = say(" or ").join(f'{{"{name}": […]}}' for name in known)
        raise meaningless(say("The body must have exactly one field: {expected}.", expected=expected))
    name, value = next(iter(request.items()))
    counted(value, name, limits)
    if name == "texts":
        return texts(value, limits)
    return images(value) if name == "images" else pictures(value)


def counted(value: Any, name: str, limits: Limits) -> None:
    """Refuse what is no list, an empty one, and one with more items than a request may have."""
    if not isinstance(value, list) or not value:
        raise meaningless(say("{name} must be a list of at least one item.", name=name))
    if len(value) > limits.items:
        raise too_large(
            say("{name} has {n:,} items; at most {most:,} are answered.", name=name, n=len(value), most=limits.items)
        )


def texts(value: list[Any], limits: Limits) -> list[str]:
    """A list of texts; half a surrogate pair, which is no text, becomes U+FFFD."""
    for place, one in enumerate(value):
        if not isinstance(one, str):
            raise meaningless(say("Item {place} is no text; expected is a list of texts.", place=place))
        if len(one) > limits.characters:
            raise too_large(
                say(
                    "Item {place} has {n:,} characters; at most {most:,} are read.",
                    place=place,
                    n=len(one),
                    most=limits.characters,
                )
            )
    return [whole(one) for one in value]


def images(value: list[Any]) -> np.ndarray:
    """Images as lists of rows of whole numbers → uint8 (n, 28, 28)."""
    wrong = say("Each image must be 28 rows of 28 whole numbers from 0 (paper) to 255 (ink).")
    try:
        found = np.array(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise meaningless(wrong) from None
    if found.ndim != 3 or found.shape[1:] != (SIDE, SIDE):
        raise meaningless(wrong)
    return pixels(found, wrong)


def pixels(found: np.ndarray, wrong: str) -> np.ndarray:
    """An array of any type → uint8, where each of its numbers is one from 0 to 255; ``wrong`` is what is said else."""
    whole = found.dtype.kind in "iu" or (found.dtype.kind == "f" and bool((found == np.floor(found)).all()))
    if not whole or found.min() < 0 or found.max() > 255:
        raise meaningless(wrong)
    return found.astype(np.uint8)


def pictures(value: list[Any]) -> np.ndarray:
    """PNG files in base64 → uint8 (n, 28, 28)."""
    return np.stack([_picture(one, place) for place, one in enumerate(value)])


def _picture(value: Any, place: int) -> np.ndarray:
    """One PNG. Its size is read from its head before anything is unpacked: a small file may claim a huge picture."""
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if not data.startswith(_PNG) or len(data) < 33 or data[12:16] != b"IHDR":
        raise meaningless(say("Item {place} is no PNG in base64.", place=place))
    width, height = struct.unpack(">II", data[16:24])
    if (width, height) != (SIDE, SIDE):
        raise meaningless(
            say("Item {place} is {width:,} by {height:,} pixels; expected are 28 by 28.", **_size(place, width, height))
        )
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            return np.asarray(picture.convert("L"), dtype=np.uint8)
    except Exception:  # the library raises whatever it meets in a broken file
        raise meaningless(say("Item {place} is a damaged PNG.", place=place)) from None


def _size(place: int, width: int, height: int) -> dict[str, int]:
    return {"place": place, "width": width, "height": height}


def whole(text: str) -> str:
    """A text without halves of surrogate pairs: each is U+FFFD instead."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _no_number(name: str) -> None:
    raise ValueError(name)


def meaningless(sentence: str) -> Refusal:
    """A refusal of a request that says nothing that can be answered."""
    return Refusal(400, sentence, reason="meaningless")


def too_large(sentence: str) -> Refusal:
    """A refusal of a request that asks too much at once."""
    return Refusal(413, sentence, reason="too_large")
