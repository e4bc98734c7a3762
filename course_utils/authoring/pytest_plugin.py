"""What pytest needs for the course, loaded by pyproject's ``-p``: who runs which test, and how nbval compares.

It applies to the tests and to ``pytest --nbval notebooks/07_mnist_cnn.ipynb``, also for a reader's copy in ``work/``.
"""

import re

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Keep on one worker what is started once: a chapter, a browser, a notebook's kernel (see `group_of`).

    pytest-xdist's own groups are marks that it writes into a test's name, which pytest 9.2 no longer lets it do: then
    every test is a group, nothing says so, and each worker runs each chapter.
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


def group_of(nodeid: str) -> str:
    """The tests that one worker runs in a row: those of a file; in tests/browser all; in tests/chapters a chapter's."""
    path, _, test = nodeid.partition("::")
    folder = path.rpartition("/")[0]
    if folder == "tests/browser":
        return folder
    if folder == "tests/chapters" and (chapter := re.search(r"\[(.+)\]$", test)):
        return f"{path}[{chapter[1]}]"
    return path


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval, which compares to the last bit what another processor does not keep, compare numbers as we do."""
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        from nbval.plugin import IPyNbCell

        IPyNbCell.compare_outputs = _tolerant(IPyNbCell.compare_outputs)


def _tolerant(to_the_letter):
    """nbval's comparison of a cell's outputs, with the last word for ours where only numbers can differ."""

    from course_utils.authoring.agreement import output_differences  # numpy: not at the start of every pytest

    def compare_outputs(cell, test, ref, skip_compare=None) -> bool:
        return to_the_letter(cell, test, ref, skip_compare) or not output_differences(test, ref)

    return compare_outputs
