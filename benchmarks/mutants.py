"""Mutation testing of our own shapes and checks: how much damage to the data does validation notice?

    .venv/bin/python benchmarks/mutants.py [--count 1000] [--seed 1] [--verify 20] [--kind NAME] [--escapes]

A mutant is the valid graph with one piece of damage at a random place; the mutants are spread evenly over the kinds. It
counts as caught when validation reports at least one error; warnings do not count. So that a thousand take minutes, only
what the damage can reach is judged; on --verify mutants, drawn at random, the verdict is compared with that of the
whole `interpol-graph validate`.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time
from collections import Counter, defaultdict
from multiprocessing import get_context

from damage import Ground, Mutant, mutants
from interpol_graph.graph.store import DERIVED
from slips import KINDS
from verdict import Judge, Whole

_judge: Judge


def _verdict(mutant: Mutant) -> str:
    return _judge.rule(mutant)


def main() -> int:
    """Damage, judge, print the table. Returns 1 when a sampled verdict differs from the whole validation's."""
    global _judge
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    options.add_argument("--count", type=int, default=1000, help="how many mutants")
    options.add_argument("--seed", type=int, default=1, help="another seed damages other places")
    options.add_argument(
        "--verify", type=int, default=20, help="how many verdicts to compare with the whole validation"
    )
    options.add_argument("--kind", choices=sorted(KINDS), action="append", help="only this kind of damage")
    options.add_argument("--escapes", action="store_true", help="list every mutant that was not caught")
    chosen = options.parse_args()

    clock = time.perf_counter()
    _judge = Judge()
    ground = Ground(quad for quad in _judge.graph.exact if quad.graph_name != DERIVED)
    made = list(mutants(ground, {name: KINDS[name] for name in chosen.kind or KINDS}, chosen.count, chosen.seed))
    assert not _judge.rule(Mutant("none", (), ())), "the undamaged graph has findings; mend those first"
    loaded, clock = time.perf_counter() - clock, time.perf_counter()
    gc.freeze()  # a forked process shares what the collector does not touch
    with get_context("fork").Pool(os.cpu_count()) as pool:
        verdicts = pool.map(_verdict, made, chunksize=1)
    spent = time.perf_counter() - clock

    caught: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, rule in zip(made, verdicts, strict=True):
        caught[mutant.kind][rule] += 1
    print(f"{'kind of damage':<28}{'caught':>8}{'of':>6}{'%':>8}  by")
    for name, rules in caught.items():
        total = rules.total()
        found = total - rules[""]
        by = ", ".join(f"{rule} {number}" for rule, number in rules.most_common() if rule)
        print(f"{name:<28}{found:>8}{total:>6}{100 * found / total:>8.1f}  {by if len(by) < 90 else by[:88] + ' …'}")
    total = sum(map(bool, verdicts))
    print(f"{'all':<28}{total:>8}{len(made):>6}{100 * total / len(made):>8.1f}")
    escaped = [mutant for mutant, rule in zip(made, verdicts, strict=True) if not rule]
    if chosen.escapes:
        for mutant in escaped:
            print(f"escaped: {mutant.kind}: {mutant}")
    print(
        f"loaded in {loaded:.1f} s, judged in {spent:.1f} s, {spent / max(1, len(made)):.2f} s a mutant, seed {chosen.seed}"
    )

    # Half of the sample from the escapes, as far as there are any: there a wrong verdict would shame us most.
    dice = random.Random(chosen.seed)  # noqa: S311 - a lottery, not a secret
    found = [mutant for mutant, rule in zip(made, verdicts, strict=True) if rule]
    sample = dice.sample(escaped, min(len(escaped), chosen.verify // 2))
    sample += dice.sample(found, min(len(found), chosen.verify - len(sample)))
    whole = Whole(_judge) if sample else None
    differ = [mutant for mutant in sample if whole and whole.catches(mutant) == (mutant in escaped)]
    if sample:
        print(f"compared with the whole validation: {len(sample)} verdicts, {len(differ)} differ")
    for mutant in differ:
        print(f"differs: {mutant.kind}: {mutant}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
