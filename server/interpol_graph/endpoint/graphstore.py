"""/graphs: the Graph Store HTTP Protocol, reading: the default graph and each named graph, literals as in the files."""

from __future__ import annotations

import difflib

from flask import Blueprint, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as Answer

from interpol_graph.endpoint import dumps, headers, negotiation
from interpol_graph.endpoint.problems import BadParameter, NotFound
from interpol_graph.graph.formats import of_kind
from interpol_graph.site import pages

blueprint = Blueprint("graphstore", __name__)


@blueprint.get("/graphs")
def graphs() -> Answer:
    """Return one graph: ?graph=IRI or ?default. Without either, a browser is led to the list."""
    named = request.args.getlist("graph")
    if len(named) + ("default" in request.args) != 1:
        if not request.args and negotiation.wants_html():
            return redirect(url_for("dumps.dumps"), 303)
        raise BadParameter(
            "Which graph? Name one, and one only: ?default, or ?graph= with its IRI.", known=list(pages.engine().graphs)
        )
    iri = named[0] if named else None
    if iri is not None and iri not in pages.engine().graphs:
        known = list(pages.engine().graphs)
        similar = difflib.get_close_matches(iri, known, 5, 0.8)
        raise NotFound(f"There is no graph <{iri}> here.", similar=similar, known=known)
    fmt = negotiation.choose(of_kind("graph"))
    if fmt is None:
        raise negotiation.refusal(of_kind("graph"), "A graph")
    # Made once for each state of the graph and sent from there, in parts if asked.
    name = f"graphs {iri or ''} {fmt.name}"
    path = dumps.kept(name, lambda file: pages.engine().dump(file, fmt, iri))
    etag = headers.tag(pages.engine().digest, name)
    dumps.check_if_match(etag)
    response = send_file(path, fmt.media_types[0], etag=etag)
    response.headers["Content-Type"] = fmt.content_type
    response.headers.pop("Last-Modified", None)
    response.headers["Cache-Control"] = headers.CACHED
    response.vary.add("Accept")
    return response
