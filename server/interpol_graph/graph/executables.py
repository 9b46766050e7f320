"""The saved questions as statements: each an example that clients of any endpoint find and run (SHACL-AF, sh:SPARQLExecutable)."""

from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from interpol_graph.graph import paths
from interpol_graph.graph.files import SourceFile, Unreadable, project_files
from interpol_graph.graph.prefixes import BASE, GRAPHS, RDF, SH, expand
from interpol_graph.graph.questions import BadQuestion, Question, saved

#: The named graph of the questions. It is part of the default graph, where generic clients look for examples.
QUERIES = GRAPHS + "queries"


class Executables(SourceFile):
    """The saved questions as if they were a file of RDF."""

    def content(self) -> bytes:
        """Return the questions as N-Triples. Raises Unreadable when one is not in order."""
        try:
            statements = (statement for question in saved().values() for statement in _statements(question))
            return serialize(statements, format=RdfFormat.N_TRIPLES) or b""
        except BadQuestion as error:
            raise Unreadable(self.path, str(error)) from error


def graph_files(root: Path = paths.ROOT) -> list[SourceFile]:
    """Return what the graph is made of: a project's own files, and the saved questions."""
    return [*project_files(root), Executables(paths.QUERIES / "queries.nt", QUERIES)]


def _statements(question: Question) -> Iterator[Triple]:
    """Yield what is said of a question: kind, text with the default values, words, keywords, prefixes."""
    iri, kind = NamedNode(f"{BASE}queries/{question.name}"), "Select" if question.variables else "Construct"
    for name in ("SPARQLExecutable", f"SPARQL{kind}Executable"):
        yield Triple(iri, NamedNode(RDF + "type"), NamedNode(SH + name))
    yield Triple(iri, NamedNode(SH + kind.lower()), Literal(question.filled()))
    yield Triple(iri, NamedNode(SH + "prefixes"), NamedNode(BASE + "ontology"))
    said = {"rdfs:label": question.title, "rdfs:comment": question.title, "dcterms:description": question.description}
    for name, words in said.items():
        for language, text in words.items():
            yield Triple(iri, NamedNode(expand(name)), Literal(text, language=language))
    for tag in question.tags:
        yield Triple(iri, NamedNode(expand("schema:keywords")), Literal(tag))
