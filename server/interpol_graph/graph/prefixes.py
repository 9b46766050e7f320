"""The prefix table, read from ontology/prefixes.ttl, its only place."""

from functools import cache

from pyoxigraph import QuerySolutions, Store

from interpol_graph.graph.paths import ONTOLOGY

BASE = "https://w3id.org/interpol-graph/"
TERMS = BASE + "ontology#"
ENTITIES = BASE + "id/"
GRAPHS = BASE + "graph/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SH = "http://www.w3.org/ns/shacl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
_DECLARED = f"""PREFIX sh: <{SH}>
SELECT ?prefix ?namespace {{ ?ontology sh:declare [ sh:prefix ?prefix ; sh:namespace ?namespace ] }}"""


@cache
def prefixes() -> dict[str, str]:
    """Return prefix → namespace IRI, in alphabetical order."""
    store = Store()
    store.load(path=ONTOLOGY / "prefixes.ttl")
    rows = store.query(_DECLARED)
    assert isinstance(rows, QuerySolutions)
    return dict(sorted((str(row[0].value), str(row[1].value)) for row in rows))


@cache
def _by_namespace() -> dict[str, str]:
    return {namespace: prefix for prefix, namespace in reversed(prefixes().items())}


def shorten(iri: str) -> str:
    """Return the IRI as prefix:name if the table has its namespace, else as it is.

    >>> shorten("https://w3id.org/interpol-graph/id/session/84"), shorten("https://example.org/84")
    ('session:84', 'https://example.org/84')
    """
    cut = max(iri.rfind("#"), iri.rfind("/")) + 1  # every namespace ends there
    namespace, local = iri[:cut], iri[cut:]
    prefix = _by_namespace().get(namespace) if local and "?" not in local else None
    return f"{prefix}:{local}" if prefix else iri


def expand(name: str) -> str:
    """Return the full IRI of a prefixed name; a full IRI, with or without angle brackets, is returned as it is.

    Raises ValueError when the prefix is not in the table.

    >>> expand("session:84"), expand("<https://example.org/84>")
    ('https://w3id.org/interpol-graph/id/session/84', 'https://example.org/84')
    """
    name = name.strip().removeprefix("<").removesuffix(">")
    prefix, colon, local = name.partition(":")
    if not colon:
        raise ValueError(f"{name!r} is neither an IRI nor a prefixed name such as session:84")
    if local.startswith("//"):
        return name
    if prefix in prefixes():
        return prefixes()[prefix] + local
    if prefix in ("urn", "mailto", "tag"):
        return name
    raise ValueError(f"the prefix {prefix}: is not in the prefix table; known prefixes: {', '.join(prefixes())}")


def sparql_header() -> str:
    """Return the whole table as SPARQL PREFIX lines."""
    return "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in prefixes().items())
