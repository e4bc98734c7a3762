"""The ``course`` command, also as ``python -m course_utils`` where its script is not on the PATH.

Before anything is imported, the current folder leaves the path: a file there that is called like a module
(``random.py``) would be taken for it.
"""

import contextlib
import os
import sys


def _do_not_look_here() -> None:
    here = {""}
    with contextlib.suppress(OSError):  # a folder that has been deleted
        here.add(os.getcwd())
    # Behind the standard library it stays, where an editable install puts a checkout: there it can shadow nothing.
    library = os.path.dirname(os.__file__)
    before = sys.path.index(library) if library in sys.path else len(sys.path)
    sys.path[:] = [entry for place, entry in enumerate(sys.path) if place > before or entry not in here]


def main() -> None:
    """Run the command and exit with its status."""
    _do_not_look_here()
    from course_utils.cli import main as command

    command()


if __name__ == "__main__":
    main()
