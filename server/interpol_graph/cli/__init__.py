"""The commands."""

import click


class Failure(click.ClickException):
    """A command that could not run: one sentence that says why, and exit code 2."""

    exit_code = 2
