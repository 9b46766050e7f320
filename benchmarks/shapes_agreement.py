"""How far the stock pyshacl command and `interpol-graph validate` agree on shapes as the world ships them.

    .venv/bin/python benchmarks/shapes_agreement.py FOLDER [--datasets 2000] [--limit 900]

Each folder in FOLDER is one case: shapes*.ttl, and data*.ttl that make them speak; without data, a catalogue of so many
datasets is made, every third of them with faults. Results are compared by component, focus node, path, value and severity,
and counted; blank nodes, which two engines do not share, are all one. Real shape graphs are not part of this project.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import BlankNode, RdfFormat, parse, serialize

from interpol_graph.graph.files import SourceFile
from interpol_graph.shacl.data import SHACL, BadShapes, Index, Term, read_path, sh
from shacl_speed import BIN, measured

PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix ex: <http://example.org/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def catalogue(datasets: int) -> Iterator[str]:
    """Yield the Turtle of a catalogue in DCAT, every third dataset with a fault, each in its turn."""
    faults = (
        ("", 'dct:title "Dataset"@en ;'),
        ("dct:title [ ] ;", 'dct:title "Dataset"@en ;'),
        ("dct:publisher ex:publisher , ex:other ;", "dct:publisher ex:publisher ;"),
        ('dct:issued "yesterday" ;', 'dct:issued "2024-05-01"^^xsd:date ;'),
        ('dcat:landingPage "http://example.org/page" ;', "dcat:landingPage <http://example.org/page> ;"),
        ('dcat:theme "science" ;', ""),
        ('dct:spatial "Lyon" ; dcat:contactPoint ex:publisher ;', ""),
    )
    yield PREFIXES
    yield 'ex:publisher a foaf:Agent ; foaf:name "Publisher" . ex:other a foaf:Agent .\n'
    yield 'ex:catalogue a dcat:Catalog ; dct:title "Catalogue"@en ; dct:description "All"@en ; dct:publisher ex:publisher .\n'
    for number in range(datasets):
        bad = number // 3 % len(faults) if number % 3 == 0 else -1
        said = " ".join(pair[0 if place == bad else 1] for place, pair in enumerate(faults))
        yield f'ex:catalogue dcat:dataset ex:d{number} . ex:d{number} a dcat:Dataset ; {said} dct:description "About {number}"@en ; dcat:distribution ex:f{number} .\n'
        size = '"large"' if number % 5 == 0 else f'"{number}"^^xsd:nonNegativeInteger'
        access = f"dcat:accessURL <http://example.org/files/{number}> ;" if number % 4 else ""
        yield f"ex:f{number} a dcat:Distribution ; {access} dcat:byteSize {size} ; dct:format ex:csv .\n"


def results(report: str) -> Counter[tuple[str, ...]]:
    """Return the results of a SHACL report in Turtle, without the names of blank nodes and of shapes."""
    graph = Index(parse(report, RdfFormat.TURTLE))

    def one(node: Term, name: str) -> str:
        for value in graph.objects(node, sh(name)):
            if name == "resultPath":
                try:
                    return str(read_path(graph, value))
                except BadShapes:
                    return "a path that is none"
            return "_:" if isinstance(value, BlankNode) else str(value)
        return ""

    parts = ("sourceConstraintComponent", "focusNode", "resultPath", "value", "resultSeverity")
    top = [node for nodes in graph.column(sh("result")).values() for node in nodes]
    return Counter(tuple(one(node, part) for part in parts) for node in top)


def compared(name: str, data: Path, shapes: Path, limit: float) -> bool:
    """Print the row of one case, and what differs, and return whether nothing does."""
    ours = [
        str(BIN / "interpol-graph"),
        "validate",
        str(data),
        "--shapes",
        str(shapes),
        "--max-size",
        "9999",
        "--format",
        "turtle",
    ]
    theirs = [str(BIN / "pyshacl"), "-s", str(shapes), "-sf", "turtle", "-df", "nt", "-f", "turtle", str(data)]
    found, times = [], []
    for command in (ours, theirs):
        with tempfile.NamedTemporaryFile("r") as output:
            run = measured([*command, "--output", output.name], limit)
            times.append(run.cpu)
            report = output.read()
            found.append(results(report) if SHACL in report and run.outcome in ("conforms", "findings") else None)
    own, other = found
    if own is None or other is None:
        verdicts = ["refused" if each is None else str(each.total()) for each in found]
        print(f"| {name} | {' | '.join(verdicts)} | | | {times[0]:.1f} | {times[1]:.1f} |", flush=True)
        if own is None:
            print(subprocess.run(ours, capture_output=True, text=True).stderr)  # noqa: S603
        return own is None
    more, less = own - other, other - own
    print(
        f"| {name} | {own.total()} | {other.total()} | {more.total()} | {less.total()} | {times[0]:.1f} | {times[1]:.1f} |",
        flush=True,
    )
    for who, difference in (("only we", more), ("only pyshacl", less)):
        kinds = Counter((each[0].rpartition("#")[2].strip(">"), each[2]) for each in difference.elements())
        for kind, number in kinds.most_common(6):
            example = next(each for each in difference if (each[0].rpartition("#")[2].strip(">"), each[2]) == kind)
            print(f"    {who}: {number} × {kind[0]} at {kind[1]}, such as {example[1]} {example[3]}")
    return not (more or less)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--datasets", type=int, default=2000)
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a command is ended")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    arguments = parser.parse_args()
    agreed = []
    print("| shapes | results | pyshacl's | only ours | only theirs | CPU s | pyshacl's CPU s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for case in sorted(path for path in arguments.folder.iterdir() if path.is_dir() and arguments.only in path.name):
        with tempfile.TemporaryDirectory() as folder:
            data, shapes = Path(folder) / "data.nt", Path(folder) / "shapes.ttl"
            for target, pattern in ((data, "data*"), (shapes, "shapes*")):
                files = [SourceFile(path, "urn:x") for path in sorted(case.glob(pattern))]
                if not files and target is data:
                    made = Path(folder) / "catalogue.ttl"
                    made.write_text("".join(catalogue(arguments.datasets)), encoding="utf-8")
                    files = [SourceFile(made, "urn:x")]
                quads = (quad.triple for file in files for quad in file.quads())
                kind = RdfFormat.N_TRIPLES if target is data else RdfFormat.TURTLE
                with target.open("wb") as output:
                    serialize(quads, output, kind)
            agreed.append(compared(case.name, data, shapes, arguments.limit))
    sys.exit(not all(agreed))


if __name__ == "__main__":
    main()
