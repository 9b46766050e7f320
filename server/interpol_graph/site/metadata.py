"""What machines read of pages: robots.txt, site maps, how to search, and a thing in schema.org's words."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from interpol_graph.endpoint import current
from interpol_graph.endpoint.problems import NotFound
from interpol_graph.graph.prefixes import ENTITIES, TERMS, expand, shorten
from interpol_graph.graph.questions import saved
from interpol_graph.site.labels import Labels
from interpol_graph.site.pages import canonical, href, subject

blueprint = Blueprint("metadata", __name__)

#: Addresses in one site map; the protocol allows 50,000.
MOST = 10_000
#: Values of one property that are told in schema.org's words.
VALUES = 100
#: Pages about no single thing.
_PAGES = (
    "home.home", "questions.questions", "questions.documentation", "home.browse", "dumps.dumps", "ontology.ontology",
    "sparql.sparql", "validate.validate", "validate.rules",
)  # fmt: skip
_SCHEMA = expand("schema:")
#: Properties that schema.org has by other names.
_OTHERS = {"owl:sameAs": "sameAs", "skos:exactMatch": "sameAs", "skos:altLabel": "alternateName"}
_NAMED = f"""?s a ?class FILTER(isIRI(?s) && (STRSTARTS(STR(?s), "{ENTITIES}") || STRSTARTS(STR(?s), "{TERMS}")))"""
_COUNT = f"SELECT (COUNT(DISTINCT ?s) AS ?n) {{ {_NAMED} }}"
_PART = f"SELECT DISTINCT ?s {{ {_NAMED} }} ORDER BY ?s LIMIT {MOST} OFFSET "


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Ask robots to leave alone what costs an evaluation, and lead them to the site maps."""
    return _written("robots.txt", "text/plain; charset=utf-8")


@blueprint.get("/opensearch.xml")
def search() -> Response:
    """Describe the search to browsers (OpenSearch 1.1)."""
    return _written("opensearch.xml", "application/opensearchdescription+xml", "Accept-Language")


@blueprint.get("/sitemap.xml")
def site_maps() -> Response:
    """List the site maps: one of every MOST things that have a page."""
    parts = -(-int(current.select(_COUNT)[0]["n"].value) // MOST)
    return _written("sitemap.xml", "application/xml", date=current.modified(), parts=max(parts, 1))


@blueprint.get("/sitemap-<int(max=99999):part>.xml")
def site_map(part: int) -> Response:
    """List the pages of a part of all things, in the first one also those that are about no single thing."""
    found = current.select(_PART + str((part - 1) * MOST)) if part > 0 else []
    if not found and part != 1:
        raise NotFound(f"There is no site map {part}; they are listed at /sitemap.xml.")
    pages = [subject(row["s"].value) for row in found]
    if part == 1:
        pages[:0] = [*map(url_for, _PAGES), *(url_for("questions.question", name=name) for name in saved())]
    return _written("sitemap.xml", "application/xml", date=current.modified(), pages=pages)


def _written(template: str, content_type: str, *vary: str, **context: object) -> Response:
    with current.heavy():
        text = render_template(template, root=request.host_url.rstrip("/"), **context)
    return current.data(text.encode(), content_type, *vary)


def thing(entity: str, parts: Mapping[str, list[current.Term]], labels: Labels) -> dict[str, Any]:
    """Return what the graph says of an entity in schema.org's words, as JSON-LD; nothing of what has no class there.

    parts: property → values, derived ones included.
    """
    kinds = {t.value.removeprefix(_SCHEMA) for t in parts.get(expand("rdf:type"), ()) if t.value.startswith(_SCHEMA)}
    if not kinds:
        return {}
    said: dict[str, list[Any]] = defaultdict(list)
    for name, terms in sorted(parts.items()):
        short = _OTHERS.get(shorten(name)) or name.removeprefix(_SCHEMA)
        if short == name or not short.isalpha():  # `@context` is no property
            continue
        values = (_value(t, labels, short == "sameAs") for t in terms[:VALUES])
        said[short] += (value for value in values if value and value not in said[short])
    if definition := labels.text(entity, "skos:definition"):
        said["description"] = [definition.value]
    own = {"@id": entity, "@type": sorted(kinds), "name": labels.label(entity).value, "url": canonical()}
    told = {name: values if len(values) > 1 else values[0] for name, values in said.items() if values}
    return {"@context": "https://schema.org/", **told, **own}


def _value(term: current.Term, labels: Labels, plain: bool) -> Any:
    """Return a value as JSON-LD, a thing by name and IRI or, `plain`, by its IRI alone; None for what is no address."""
    if term.kind == "literal":
        return term.value
    if term.kind != "uri" or href(term.value) is None:
        return None
    named = {"@id": term.value, "name": labels.label(term.value).value}
    return term.value if plain or term.value.startswith(_SCHEMA) else named
