"""What pytest needs for the course, loaded by pyproject's ``-p``: see `pytest_collection_modifyitems` and `_tolerant`.

It applies to the tests and to ``pytest --nbval notebooks/07_mnist_cnn.ipynb``, also for a reader's copy in ``work/``.
"""

import pytest

from course_utils.authoring.agreement import output_differences


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker (``--dist loadgroup``): fixtures are made once, a notebook has one kernel."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval, which compares to the last bit what another processor does not keep, compare numbers as we do."""
    config.addinivalue_line("markers", "xdist_group(name): tests that run on one worker, in order (pytest-xdist)")
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        from nbval.plugin import IPyNbCell

        IPyNbCell.compare_outputs = _tolerant(IPyNbCell.compare_outputs)


def _tolerant(to_the_letter):
    """nbval's comparison of a cell's outputs, with the last word for ours where only numbers can differ."""

    def compare_outputs(cell, test, ref, skip_compare=None) -> bool:
        return to_the_letter(cell, test, ref, skip_compare) or not output_differences(test, ref)

    return compare_outputs
