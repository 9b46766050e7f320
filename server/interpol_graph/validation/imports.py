"""What shapes import: files beside them, in a catalogue, named by the user, or fetched where that is allowed."""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit
from xml.etree import ElementTree

from pyoxigraph import NamedNode, Quad, RdfFormat

from interpol_graph.graph.files import SourceFile, Unreadable, is_rdf
from interpol_graph.graph.formats import DUMPS
from interpol_graph.shacl.data import OWL, SHACL, TYPE, Statement, Term
from interpol_graph.validation.locator import Reading

IMPORTS, ONTOLOGY = NamedNode(OWL + "imports"), NamedNode(OWL + "Ontology")
#: The file in which editors of ontologies note where they keep what they import.
CATALOGUE = "catalog-v001.xml"
#: Seconds that fetching one document may take.
SECONDS = 20
ACCEPT = "text/turtle, application/n-triples, application/rdf+xml;q=0.8, application/ld+json;q=0.6"


def wanted(shapes: Sequence[Reading]) -> Iterator[tuple[Reading, Term, NamedNode]]:
    """Yield what files import and none of them is: the file, the node that imports, the IRI."""
    here = {_plain(SHACL), *(file.path.as_uri() for file in shapes)}.union(*(_says(file.quads) for file in shapes))
    for file in shapes:
        for node, predicate, iri, _ in file.quads:
            if predicate == IMPORTS and isinstance(iri, NamedNode) and _plain(iri.value) not in here:
                yield file, node, iri


def _says(quads: Iterable[Quad | Statement]) -> list[str]:
    """Return the ontologies that a file says it is."""
    typed = (quad.subject for quad in quads if quad.predicate == TYPE and quad.object == ONTOLOGY)
    return [_plain(node.value) for node in typed if isinstance(node, NamedNode)]


def found(iri: str, folder: Path, maps: dict[str, Path], fetch: bool, most: int) -> SourceFile | None:
    """Return the file of an imported IRI, as the user mapped it, as the catalogue of a folder does, beside it, or fetched.

    Raises Unreadable when it is fetched in vain.
    """
    known = _catalogue(folder) | {_plain(name): path for name, path in maps.items()}
    path = known.get(_plain(iri)) or (Path(unquote(urlsplit(iri).path)) if iri.startswith("file:") else None)
    path = path or _neighbours(folder).get(_plain(iri)) or (_fetched(iri, most << 20) if fetch else None)
    return SourceFile(path, path.as_uri()) if path and path.is_file() and is_rdf(path) else None


def _plain(iri: str) -> str:
    """Return an IRI by which an ontology is found, whoever ends it in # or / and whoever does not."""
    return urldefrag(iri).url.rstrip("/")


@cache
def _catalogue(folder: Path) -> dict[str, Path]:
    try:
        root = ElementTree.parse(folder / CATALOGUE).getroot()  # noqa: S314  a file of the user's
    except (OSError, LookupError, ValueError, ElementTree.ParseError):  # the middle two of its encoding
        return {}
    named = ((entry.get("name", ""), entry.get("uri", "")) for entry in root.iter() if entry.tag.endswith("}uri"))
    here = ((name, unquote(uri.removeprefix("file:"))) for name, uri in named if ":/" not in uri)
    return {_plain(name): (folder / file).resolve() for name, file in here}


@cache
def _neighbours(folder: Path) -> dict[str, Path]:
    """Return the ontologies that the RDF files of a folder say they are, and these files' names without suffix."""
    beside: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if is_rdf(path) and path.is_file()):
        try:
            for name in _says(SourceFile(path, path.as_uri()).quads()):
                beside.setdefault(name, path)
        except Unreadable:  # what is no RDF is no import
            continue
    return beside


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="interpol-graph-")  # it goes when the process ends


def _fetched(iri: str, most: int) -> Path | None:
    if urlsplit(iri).scheme not in ("http", "https"):
        return None
    import urllib.request  # a hundredth of a run's time, and few need it

    place, deadline, content = Path(_folder().name), time.monotonic() + SECONDS, b""
    try:
        request = urllib.request.Request(iri, headers={"Accept": ACCEPT})  # noqa: S310  the schemes are checked
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            kind = answer.headers.get_content_type()
            while piece := answer.read(1 << 16):
                content += piece
                if len(content) > most or time.monotonic() > deadline:
                    raise OSError(f"it has more than {most >> 20} MiB or takes {SECONDS} s")
    except (OSError, ValueError) as error:
        raise Unreadable(Path(iri), f"cannot be fetched: {error}") from error
    suffix = next((fmt.suffix for fmt in DUMPS if kind in fmt.media_types), Path(urlsplit(iri).path).suffix)
    file = place / f"import-{sum(1 for _ in place.iterdir())}{suffix or RdfFormat.TURTLE.file_extension}"
    file.write_bytes(content)
    return file
