"""Voxeo's telephone prompts as a data set: ``python -m course_utils.authoring.voxeo_digits FOLDER``.

``FOLDER`` holds what Debian's package ``bambam`` (1.4 or later) has in
``usr/share/bambam/extensions/alphanumeric-en_US/sounds``: ``0.ogg`` to ``9.ogg``. Writes
``data/sounds/voxeo_digits.npz`` and says the hash for ``data/registry.toml``. Needs ``oggdec`` (vorbis-tools).
"""

import argparse
from pathlib import Path

from course_utils.authoring import made_digits

SET = "voxeo_digits"


def main() -> None:
    """Read the ten recordings, cut the silence off, write, and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    made_digits.keep(
        SET,
        (
            (made_digits.said(["oggdec", "-Q", "-o", "{out}", str(folder / f"{label}.ogg")]), label, "voxeo")
            for label in range(10)
        ),
    )


if __name__ == "__main__":
    main()
