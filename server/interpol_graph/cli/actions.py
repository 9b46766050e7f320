"""The step of the GitHub action: inputs from the environment, the command `validate`, outputs and a summary of the job.

Run as `python -m interpol_graph.cli.actions`, with the inputs in PATHS, SHAPES, CONTEXT, CHANGED, FAIL_ON, FORMAT, OUTPUT.
"""

import glob
import os
import sys
from pathlib import Path

from interpol_graph.cli import validate
from interpol_graph.validation.report import Report
from interpol_graph.validation.scope import checkout
from interpol_graph.validation.text import summary

#: Annotations of a kind that GitHub shows of one step.
SHOWN = 10
_CELLS = str.maketrans({"|": "\\|", "<": "&lt;", "`": "'", "\n": " "})


def main() -> None:
    """Validate what the inputs name, tell the next steps, and end as the command does."""
    paths, shapes, context = (_places(name) for name in ("PATHS", "SHAPES", "CONTEXT"))
    if checkout(Path.cwd()) is None and not (paths and shapes):
        words = "this is no checkout of the INTERPOL graph: give the inputs paths and shapes"
        print(f"::error::{words}")
        print(f"Error: {words}", file=sys.stderr)
        _append("GITHUB_OUTPUT", "conforms=false\n")
        sys.exit(2)
    changed, output = os.environ.get("CHANGED", ""), os.environ.get("OUTPUT", "")
    arguments = [f"--format={os.environ['FORMAT']}", f"--fail-on={os.environ.get('FAIL_ON') or 'error'}"]
    arguments += [f"--shapes={path}" for path in shapes] + [f"--context={path}" for path in context]
    arguments += [f"--changed={changed}"] * bool(changed) + [f"--output={output}"] * bool(output)
    try:
        validate.command.main([*arguments, "--", *paths], prog_name="interpol-graph validate", obj=_tell)
    except SystemExit as end:
        if end.code not in (0, 1):
            _append("GITHUB_OUTPUT", "conforms=false\n")
            _append("GITHUB_STEP_SUMMARY", "**interpol-graph could not validate**; the log says why.\n")
        raise


def _places(name: str) -> list[str]:
    """Return the paths of an input, one a line, its patterns resolved; a pattern that fits nothing stays, to be told."""
    lines = [line.strip() for line in os.environ.get(name, "").splitlines() if line.strip()]
    return [path for line in lines for path in sorted(glob.glob(line, recursive=True)) or [line]]


def _tell(report: Report) -> None:
    """Tell the steps that follow, and the page of the job, what was found."""
    counts = "".join(f"{severity}s={number}\n" for severity, number in report.counts.items())
    conforms, place = str(report.conforms).lower(), os.environ.get("OUTPUT", "")
    _append("GITHUB_OUTPUT", f"conforms={conforms}\n{counts}report={place}\n")
    found = report.by_rule.most_common()
    rows = [f"| {rule.translate(_CELLS)} | {severity} | {number:,} |" for (rule, severity), number in found]
    verdict = "conforms" if report.conforms else "does not conform"
    words = [f"**The data {verdict}**: {summary(report.counts)} in {len(report.checked)} files."]
    if rows:
        words += ["", "| rule | severity | findings |", "| --- | --- | ---: |", *rows]
    hidden = sum(max(0, number - SHOWN) for number in report.counts.values())
    if hidden and os.environ["FORMAT"] == "github":
        words += ["", f"GitHub shows {SHOWN} annotations of a kind: {hidden:,} more stand in the log."]
    _append("GITHUB_STEP_SUMMARY", "\n".join(words) + "\n")


def _append(name: str, text: str) -> None:
    if path := os.environ.get(name):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
