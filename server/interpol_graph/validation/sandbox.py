"""The process that validates a visitor's Turtle: short-lived, with a limit on its time and memory, gone when it has answered.

Run as `python -m interpol_graph.validation.sandbox FORMAT` in a folder that holds the Turtle as input.ttl and nothing else.
It prints the report; or, of what is not Turtle, as JSON the reason with line and column, and its exit code says so.
"""

import json
import resource
import signal
import sys
from pathlib import Path

import click

#: Seconds that one validation may take, and mebibytes that it may use.
SECONDS = 20
MEMORY = 1024
#: The exit codes of a process that asked for more memory than it may have, and of one that was given no Turtle.
OUT_OF_MEMORY, REFUSED = 70, 71
#: What the visitor's statements are called in the report.
NAME = "input.ttl"


def main(style: str) -> int:
    """Validate the file by the bundled ontology, shapes and checks, print the report, and return the exit code."""
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY << 20, MEMORY << 20))
    try:
        # Imported under the limits, which thus hold for everything.
        from interpol_graph.graph.files import Unreadable
        from interpol_graph.validation import formats, run, scope

        found = run.every(scope.chosen([Path(NAME)]))
        click.echo(formats.BY_NAME[style].write(found), nl=False, color=False)
    except MemoryError:
        return OUT_OF_MEMORY
    except Unreadable as error:
        print(json.dumps([error.reason, error.line, error.column]))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
