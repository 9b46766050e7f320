"""/validate: Turtle in, findings out; and the page with a text box for people."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import cache
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, request
from pyoxigraph import parse
from werkzeug.exceptions import RequestEntityTooLarge

from interpol_graph.endpoint import caching, negotiation
from interpol_graph.endpoint.current import data, gone, heavy, render
from interpol_graph.endpoint.problems import BadRequest, BodyTooLarge, MalformedTurtle, UnsupportedMediaType
from interpol_graph.engine.admission import Admission
from interpol_graph.engine.limits import TICK, Lane
from interpol_graph.engine.outcomes import Departed, EngineError, OutOfMemory, OutOfTime, Unavailable
from interpol_graph.graph import paths
from interpol_graph.validation.formats import BY_NAME, REPORTS, ReportFormat
from interpol_graph.validation.rules import BUILT_IN, Rule, known
from interpol_graph.validation.sandbox import MEMORY, NAME, OUT_OF_MEMORY, REFUSED, SECONDS

blueprint = Blueprint("validate", __name__)

FORM, UPLOAD = "application/x-www-form-urlencoded", "multipart/form-data"
#: N-Triples is Turtle.
TURTLE = ("text/turtle", "application/x-turtle", "application/n-triples")
#: Bytes that the statements of one request may have.
LARGEST = 1 << 20
#: Validations at the same time, per worker; how many more may wait, and for how many seconds.
AT_ONCE, QUEUE, QUEUE_TIMEOUT = 2, 4, 5.0
#: Findings that the page shows, and lines of the visitor's text that it repeats.
SHOWN, LINES = 500, 5000

COMMAND = ["-m", "interpol_graph.validation.sandbox"]
_admission = Admission(
    [Lane(AT_ONCE, QUEUE)], QUEUE_TIMEOUT, "Other validations are under way; try again in a few seconds."
)


@blueprint.get("/validate", strict_slashes=False)
def validate() -> Response:
    """Show the page with an empty text box."""
    return render("validate.html", text="", formats=REPORTS, limit=LARGEST)


@blueprint.post("/validate", strict_slashes=False)
def findings() -> Response:
    """Validate posted Turtle: as a report in the format that the client likes best, to a browser as a page."""
    # A form writes many a byte as three; one with a file may have a text as well, which is then left alone.
    most = {FORM: LARGEST * 3, UPLOAD: LARGEST * 2}.get(request.mimetype, LARGEST)
    request.max_content_length = request.max_form_memory_size = most + 1024
    try:
        with heavy():
            request.form  # noqa: B018  it is read here, and kept
        if negotiation.wants_html():
            return _page()
        fmt = negotiation.require(REPORTS, "A report", REPORTS)
        return data(report(_statements(), fmt), fmt.content_type, "Accept", lifetime=caching.UNCACHED)
    except OSError as error:  # what is long is read into a file
        raise Unavailable("There is no room on the disk for what was sent; try again later.") from error
    except RequestEntityTooLarge:
        raise BodyTooLarge(
            f"The statements are larger than {LARGEST >> 10} KiB, the most that is validated here; install the command "
            "interpol-graph and validate them on your own machine.",
            bytes=LARGEST,
        ) from None


@blueprint.get("/validate/rules")
def rules() -> Response:
    """List every rule that a finding can name: what it asks, how grave a breach is, where it stands."""
    return render("rules.html", files=_rules())


@cache
def _rules() -> list[tuple[str, list[Rule]]]:
    """Return file → its rules, those built in first."""
    found: dict[str, list[Rule]] = {"": [*BUILT_IN]}
    for path in sorted(paths.SHAPES.glob("*.ttl")):
        found[f"shapes/{path.name}"] = [rule for rule in known(parse(path=path)).values() if rule.kind == "shape"]
    found["queries/checks/"] = [rule for rule in known((), paths.CHECKS).values() if rule.kind == "check"]
    return [(file, rules) for file, rules in found.items() if rules]


def report(statements: bytes, fmt: ReportFormat) -> bytes:
    """Return the report on some Turtle, made by a process that can be ended.

    Raises MalformedTurtle, OutOfTime, OutOfMemory, Busy, Departed, Unavailable when the disk takes no file.
    """
    try:
        with _admission.slot(gone=gone()), tempfile.TemporaryDirectory(prefix="interpol-graph-") as folder:
            Path(folder, NAME).write_bytes(statements)
            done = _run([sys.executable, *COMMAND, fmt.name], folder)
    except OSError as error:
        raise Unavailable(f"The validation cannot be run: {error.strerror or error}.") from error
    if done.returncode == -signal.SIGALRM:
        raise OutOfTime(
            f"The validation was stopped after {SECONDS} seconds, its time limit; validate a part of these statements.",
            seconds=SECONDS,
        )
    # Whoever refuses memory to a library without exceptions sees it abort.
    if done.returncode == OUT_OF_MEMORY or done.returncode < 0:
        raise OutOfMemory(
            f"The validation was stopped at {MEMORY} MiB, its memory limit; validate a part of these statements, or install "
            "the command interpol-graph and validate them on your own machine.",
            mebibytes=MEMORY,
        )
    if done.returncode == REFUSED:
        reason, line, column = json.loads(done.stdout)
        place = f"(line {line}, column {column}) " if line else ""
        raise MalformedTurtle(f"What was sent {place}{reason}.", line=line or None, column=column or None)
    if done.returncode:
        raise RuntimeError(f"the validation failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess[bytes]:
    """Run a validation to its end, or to that of its client's patience. Raises Departed."""
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
    ) as process:
        # The process ends itself; the margin only covers its start.
        deadline, left = time.monotonic() + SECONDS + 5, gone()
        while True:
            try:
                output, errors = process.communicate(timeout=TICK)
                return subprocess.CompletedProcess(command, process.returncode, output, errors)
            except subprocess.TimeoutExpired:
                if left():
                    process.kill()
                    raise Departed("The client went away, and its validation was stopped.") from None
                if time.monotonic() > deadline:
                    process.send_signal(signal.SIGALRM)


def _page() -> Response:
    """Return the page with the visitor's text and what was found in it, or what is wrong with it."""
    text, found, wrong = "", None, None
    try:
        text = _statements().decode("utf-8", errors="replace").replace("\r\n", "\n")
        found = json.loads(report(text.encode(), BY_NAME["json"]))
    except EngineError as error:
        wrong = error
    return render(
        "validate.html", "Accept", error=wrong, lifetime=caching.UNCACHED, text=text,
        formats=REPORTS, limit=LARGEST, found=found, shown=SHOWN, source=text.split("\n")[:LINES],
        marked={finding["line"] for finding in found["findings"]} if found else set(),
    )  # fmt: skip


def _statements() -> bytes:
    """Return the posted Turtle, from the body or from the form's fields `file` or `turtle`. Raises RequestEntityTooLarge."""
    negotiation.check_coding()
    if request.mimetype not in (*TURTLE, FORM, UPLOAD):
        raise UnsupportedMediaType(
            f"Statements are posted as Turtle (text/turtle), not as {request.mimetype or 'a body without a Content-Type'}.",
            supported=[*TURTLE, FORM, UPLOAD],
        )
    if request.mimetype in (FORM, UPLOAD):
        with closing(request.files.get("file") or BytesIO()) as file:
            content = file.read() or request.form.get("turtle", "").encode()
    else:
        content = request.get_data()
    if len(content) > LARGEST:
        raise RequestEntityTooLarge
    if not content.strip():
        raise BadRequest("There are no statements: send Turtle as the body, or as the form field `turtle`.")
    return content
