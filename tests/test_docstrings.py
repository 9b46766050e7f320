"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import interpol_graph

FINDER = doctest.DocTestFinder(exclude_empty=True)
#: Of each module that has examples, its docstrings with them.
EXAMPLES = {
    name: found
    for name in sorted(module.name for module in pkgutil.walk_packages(interpol_graph.__path__, "interpol_graph."))
    if not name.endswith("__main__")
    and (found := [test for test in FINDER.find(importlib.import_module(name)) if test.examples])
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    runner = doctest.DocTestRunner()
    for test in EXAMPLES[name]:
        runner.run(test)
    assert runner.tries >= len(EXAMPLES[name]) > 0
    assert runner.failures == 0


def test_there_are_examples_to_try() -> None:
    assert sum(len(test.examples) for found in EXAMPLES.values() for test in found) >= 12
