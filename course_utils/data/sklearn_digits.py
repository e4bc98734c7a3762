"""Sets that come with an installed library."""

import hashlib
from typing import TYPE_CHECKING

from course_utils.data import registry
from course_utils.errors import CourseError

if TYPE_CHECKING:
    import numpy as np


def digits() -> "tuple[np.ndarray, np.ndarray]":
    """scikit-learn's digits as they are: uint8 (1797, 8, 8), 0 to 16, and labels, uint8 (1797,), in file order.

    Raises CourseError if the installed library's digits are not the ones that the split was made for.
    """
    from sklearn import datasets

    bunch = datasets.load_digits()
    images, labels = bunch.images.astype("uint8"), bunch.target.astype("uint8")
    wanted = registry.entry("digits").sha256
    found = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    if found != wanted:
        raise CourseError(
            f"scikit-learn's digits are not the 1,797 known ones (sha256 wanted {wanted}, found {found}), so the split "
            "by writers would be wrong. Install it again: python -m pip install --force-reinstall scikit-learn"
        )
    return images, labels
