"""Our shapes and checks bite: of the damage that benchmarks/mutants.py does, validation notices nearly all."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.parametrize(("count", "least"), [(12, 0.9), pytest.param(72, 0.95, marks=pytest.mark.slow)])
def test_nearly_all_damage_is_caught(count: int, least: float) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "mutants.py"), "--count", str(count), "--seed", "7"]
    run = subprocess.run([*command, "--verify", "0", "--escapes"], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    found = re.search(r"^all +(\d+) +(\d+) ", run.stdout, re.MULTILINE)
    assert found, run.stdout
    caught, made = map(int, found.groups())
    assert made == count
    assert caught >= least * count, run.stdout
    kinds = re.findall(r"^([a-z-]+) +(\d+) +2 ", run.stdout, re.MULTILINE)
    assert len(kinds) == (36 if count == 72 else 0)
    assert [kind for kind, number in kinds if number == "0"] == [], run.stdout
