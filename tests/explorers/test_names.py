"""The explorers' names are functions, also where the module that defines one has the same name."""

import importlib
import types

import pytest

from course_utils import explorers

SAME = sorted(name for name, module in explorers.MODULES.items() if name == module)


@pytest.mark.parametrize("name", SAME)
def test_a_loaded_module_does_not_hide_the_function_of_its_name(name):
    module = importlib.import_module(f"course_utils.explorers.{name}")
    assert isinstance(module, types.ModuleType)
    for _ in range(2):  # the first look loads the module, the second must find the same
        assert getattr(explorers, name) is getattr(module, name)
