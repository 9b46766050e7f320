"""A command that could not run: one sentence, and exit code 2."""

from __future__ import annotations

import click


class Failure(click.ClickException):
    """A command that could not run, with the reason."""

    exit_code = 2
