"""create_app builds the application and holds no logic."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from flask import Flask, Response, request, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

from interpol_graph import __version__
from interpol_graph.endpoint import api, dumps, flights, graphstore, metrics, problems, sparql, validate, validators
from interpol_graph.endpoint.headers import PREFLIGHT, security
from interpol_graph.endpoint.ledger import Ledger
from interpol_graph.engine.pool import Engine, Settings
from interpol_graph.graph import prefixes
from interpol_graph.serving import keeper
from interpol_graph.serving.door import Gate
from interpol_graph.serving.front import Front
from interpol_graph.site import entities, home, ontology, questions

BLUEPRINTS = (home, sparql, entities, ontology, dumps, graphstore, api, questions, validate, metrics)

#: Bytes of the largest body that is read; a route may allow more.
LARGEST_BODY = 1 << 20


def create_app(engine: Engine) -> Flask:
    """Return the WSGI application over an engine."""
    app = Flask("interpol_graph")
    app.config |= {"MAX_CONTENT_LENGTH": LARGEST_BODY, "MAX_FORM_MEMORY_SIZE": LARGEST_BODY}
    app.extensions["engine"] = engine
    app.json.sort_keys = False  # type: ignore[attr-defined]
    problems.register(app)
    validators.register(app, engine)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    app.jinja_env.globals |= {"version": __version__, "static": _static, "shorten": prefixes.shorten}
    app.after_request(_protect)
    believed = engine.settings.proxies
    front = app.extensions["front"] = Front(app.wsgi_app, engine, engine.settings.cache << 20)
    app.wsgi_app = ProxyFix(front, believed, believed, believed) if believed else front  # type: ignore[method-assign]
    return app


def worker() -> Gate:
    """Return the ASGI application of one server process; `serve` says through the environment where its state is."""
    handover = json.loads(os.environ[keeper.HANDOVER])
    state = Path(handover["state"])
    keeper.end_with_parent(state)
    engine = Engine.of_state(str(state), Settings(**handover["settings"]))
    app = create_app(engine)
    routes = frozenset(rule.rule.split("/", 2)[1] for rule in app.url_map.iter_rules())
    # One thread for everyone who may be waiting: for a place, for somebody else's answer, for a validation, for a file to
    # be made; and some for requests that wait for nothing.
    limits = engine.settings
    waiting = sum(rung.queue for rung in limits.rungs) + flights.MOST + validate.AT_ONCE + validate.QUEUE + dumps.QUEUE
    threads = limits.evaluators + waiting + 16
    return Gate(Ledger(app.wsgi_app, engine, routes, handover["log"]), threads, app.extensions["front"].ready)


def _static(name: str) -> str:
    """Return the URL of an asset with its content's hash, so that it can be cached for ever."""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return url_for("static", filename=name, v=hashlib.sha256(content).hexdigest()[:12])


def _protect(response: Response) -> Response:
    """Add the header fields that every answer carries."""
    for name, value in security(response.mimetype or ""):
        response.headers.setdefault(name, value)
    if request.method == "OPTIONS":
        response.headers.extend(PREFLIGHT)
    return response
