"""The examples in docstrings give the results they show."""

import doctest
import importlib
import pkgutil

import pytest

import gcnn_impl

MODULES = ["gcnn_impl", *(module.name for module in pkgutil.walk_packages(gcnn_impl.__path__, "gcnn_impl."))]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
