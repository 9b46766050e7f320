"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

from test_house import MODULES, PACKAGE

#: The modules with examples; who looks for them in the text need not import all others.
NAMES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in MODULES if ">>> " in path.read_text()
]
FINDER = doctest.DocTestFinder(exclude_empty=True)


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str) -> None:
    runner = doctest.DocTestRunner()
    for test in FINDER.find(importlib.import_module(name)):
        runner.run(test)
    assert runner.tries > 0 and runner.failures == 0


def test_there_are_examples_to_try() -> None:
    assert len(NAMES) >= 12
