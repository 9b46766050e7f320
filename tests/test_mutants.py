"""Our shapes and checks bite: of the damage that benchmarks/mutants.py does, validation notices nearly all."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def table() -> str:
    """What the benchmark prints of two mutants of each kind."""
    command = [sys.executable, str(ROOT / "benchmarks" / "mutants.py"), "--count", "72", "--seed", "7"]
    run = subprocess.run([*command, "--verify", "0", "--escapes"], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_nearly_all_damage_is_caught(table: str) -> None:
    found = re.search(r"^all +(\d+) +(\d+) ", table, re.MULTILINE)
    assert found, table
    caught, count = map(int, found.groups())
    assert count == 72
    assert caught >= 0.95 * count, table


def test_no_kind_of_damage_escapes_altogether(table: str) -> None:
    kinds = re.findall(r"^([a-z-]+) +(\d+) +2 ", table, re.MULTILINE)
    assert len(kinds) == 36
    assert [kind for kind, caught in kinds if caught == "0"] == [], table
