"""create_app builds the application and holds no logic; worker is one server process around it."""

import ctypes
import hashlib
import itertools
import json
import os
import signal
import sys
import threading
import time
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

from flask import Flask, request, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

from interpol_graph import __version__
from interpol_graph.endpoint import api, caching, current, dataset, dumps, observation, problems, sparql, validate
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorPool
from interpol_graph.graph import prefixes
from interpol_graph.serving.answer_cache import AnswerCache
from interpol_graph.serving.door import Door
from interpol_graph.site import editor, entities, home, metadata, ontology, questions, search

BLUEPRINTS = (
    home, search, sparql, editor, entities, ontology, metadata, api, dataset, questions, validate, observation,
)  # fmt: skip

#: Bytes of the largest body that is read; a route may allow more.
LARGEST_BODY = 1 << 20
STATIC = Path(__file__).parent / "static"
#: The parameter of mallopt(3) that says how many arenas there are at most.
_M_ARENA_MAX = -8


def create_app(pool: EvaluatorPool) -> Flask:
    """Return the WSGI application over evaluators."""
    app = Flask("interpol_graph")
    app.config |= {"MAX_CONTENT_LENGTH": LARGEST_BODY, "MAX_FORM_MEMORY_SIZE": LARGEST_BODY}
    app.extensions |= {"pool": pool, "editor": editor.page}
    app.get_send_file_max_age = _lifetime  # type: ignore[assignment]
    app.json.sort_keys = app.json.ensure_ascii = False  # type: ignore[attr-defined]
    # What is registered first sees a request first and its answer last.
    problems.register(app)
    caching.register(app, lambda: current.snapshot().digest)
    dumps.register(app, pool.state)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    app.jinja_env.globals |= {"version": __version__, "static": _static, "shorten": prefixes.shorten}
    if believed := pool.settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, believed, believed, believed)  # type: ignore[method-assign]
    else:
        observation.warn_of_proxy(app)
    return app


def worker() -> Door:
    """Return the ASGI application of one server process; `serve` says through the environment where its state is."""
    handover = json.loads(os.environ["INTERPOL_GRAPH_SERVICE"])
    sys.setswitchinterval(0.001)  # the event loop waits for no crowd of threads
    pool = EvaluatorPool.of_state(handover["state"], Settings(**handover["settings"]))
    app = create_app(pool)
    observation.start(app, pool.admission, handover["log"])
    Finalize(None, observation.flush, exitpriority=1)
    threading.Thread(target=_watch, args=(os.getppid(), pool), daemon=True).start()
    settings = pool.settings
    # One thread for everyone who may be waiting: for a lane, for a validation, for a file to be made; and some for
    # requests that wait for nothing.
    waiting = sum(lane.queue for lane in settings.lanes) + validate.AT_ONCE + validate.QUEUE + dumps.QUEUE
    cache = AnswerCache(settings.cache << 20, forwarded=settings.proxies > 0)
    threads = settings.evaluators + waiting + 16
    return Door(app.wsgi_app, threads, cache, lambda: pool.snapshot().digest, settings.proxies)


def _watch(parent: int, pool: EvaluatorPool) -> None:
    """Give back what is free, and end this worker in order when its main process has died: its successor has its own."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # the C library of GNU keeps what a burst has needed, once for each few threads
        library.mallopt(_M_ARENA_MAX, 2)
    for second in itertools.count():
        if os.getppid() != parent:
            break
        if second % 10 == 0:
            pool.snapshot().shrink()
            if hasattr(library, "malloc_trim"):
                library.malloc_trim(0)
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


@cache
def _assets() -> dict[str, str]:
    """Return the name of every file that pages use → what tells its content from others."""
    files = (path for path in STATIC.rglob("*") if path.is_file())
    return {path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in files}


def _static(name: str, otherwise: str = "") -> str:
    """Return the URL of an asset, or of the one that takes its place where it is not built; it changes with the content."""
    name = name if name in _assets() else otherwise
    return url_for("static", filename=name, v=_assets()[name])


def _lifetime(name: str | None) -> int | None:
    """Return the seconds for which an asset may be used without asking: a year at the URL of its content."""
    return 365 * 86400 if name in _assets() and request.args.get("v") == _assets()[name] else None
