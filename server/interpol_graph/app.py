"""create_app builds the application and holds no logic."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from flask import Flask, Response, url_for

from interpol_graph import __version__, dumps, entities, errors, gallery, home, ontology, prefixes, sparql
from interpol_graph.engine import Engine, Settings

BLUEPRINTS = (home, sparql, entities, ontology, dumps, gallery)

#: Through this variable `serve` hands the evaluators' address and settings to its workers.
HANDOVER = "INTERPOL_GRAPH_ENGINE"


def create_app(engine: Engine) -> Flask:
    """Return the WSGI application over an engine."""
    app = Flask("interpol_graph")
    app.extensions["engine"] = engine
    app.json.sort_keys = False  # type: ignore[attr-defined]
    errors.register(app)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    app.jinja_env.globals |= {"version": __version__, "static": _static, "shorten": prefixes.shorten}
    app.after_request(_protect)
    return app


def worker() -> Flask:
    """Return the application of one server process; `serve` has put its engine into the environment."""
    handover = json.loads(os.environ[HANDOVER])
    settings = Settings(**handover["settings"])
    return create_app(Engine(handover["address"], settings, handover["about"]))


def _static(name: str) -> str:
    """Return the URL of an asset with its content's hash, so that it can be cached for ever."""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return url_for("static", filename=name, v=hashlib.sha256(content).hexdigest()[:12])


def _protect(response: Response) -> Response:
    """Add the headers that every answer carries: no sniffing, no foreign scripts, open to browser applications."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    if response.mimetype == "text/html":
        response.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        )
    return response
