"""Another engine that holds the graph, asked over HTTP in place of the one built in (SPARQL 1.1 Protocol, 2.1)."""

import hashlib
import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

import httpx2
from pyoxigraph import Literal, NamedNode, QueryBoolean, QuerySolutions, Store, parse, parse_query_results

from interpol_graph import __version__
from interpol_graph.engine import outcomes, tokens
from interpol_graph.engine.embedded import Graphs
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.results import Found
from interpol_graph.graph import downloads
from interpol_graph.graph.executables import graph_files
from interpol_graph.graph.formats import BY_NAME, Format
from interpol_graph.graph.prefixes import BASE, GRAPHS, RDF
from interpol_graph.graph.statements import serialized
from interpol_graph.graph.store import APART, KnowledgeGraph

#: The environment variable that says how this server is known to the engine.
AUTH = "INTERPOL_GRAPH_ENGINE_AUTH"
#: The graph that holds the union of the others where an engine's own default graph is something else, and the graph that
#: tells of the state: both are there for this server, and no query sees them under these names.
UNION, STATE = GRAPHS + "default", GRAPHS + "state"
#: How many statements there are, by named graph, and unnamed in the default graph.
_COUNT = "SELECT ?g (COUNT(*) AS ?n) { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } } GROUP BY ?g"
#: How Virtuoso names a node without a name, how it writes what is true or not, and what it answers an ASK.
_NODE = re.compile(rb'("type"\s*:\s*"bnode"\s*,\s*"value"\s*:\s*")nodeID://')
_TRUTH, _ONE = re.compile(rb'(#boolean"\s*,\s*"value"\s*:\s*")([01])(?=")'), Literal(1)
#: What Virtuoso sends beside 200 when it cut an answer at a limit of its own.
_CUT = ("X-SQL-State", "X-SQL-Message", "X-SPARQL-MaxRows")
#: Seconds that an engine has for an answer, however often it sends a piece, where no query of a visitor sets a limit.
PATIENCE = 60
_JSON, _NTRIPLES, _NQUADS = (BY_NAME[name] for name in ("json", "ntriples", "nquads"))


def client(url: str, timeout: float) -> httpx2.Client:
    """Return a client of an engine, with the credentials of the environment. Raises ValueError.

    timeout: seconds that the engine may be silent; to connect it has five, and a second try, as nothing was sent.
    """
    if httpx2.URL(url).scheme not in ("http", "https") or not httpx2.URL(url).host:
        raise ValueError(f"{url} is no address of an engine; one begins with http:// or https://")
    if httpx2.URL(url).userinfo:
        raise ValueError(f"the address of the engine holds credentials; they stand in the environment, as {AUTH}")
    scheme, _, secret = os.environ.get(AUTH, "").strip().partition(" ")
    headers = {"User-Agent": f"interpol-graph/{__version__}"}
    auth: httpx2.Auth | None = None
    if scheme.lower() == "bearer":
        headers["Authorization"] = f"Bearer {secret}"
    elif scheme:
        kinds: dict[str, Any] = {"basic": httpx2.BasicAuth, "digest": httpx2.DigestAuth}
        if scheme.lower() not in kinds or ":" not in secret:
            raise ValueError(f"{AUTH} is 'Basic USER:PASSWORD', 'Digest USER:PASSWORD' or 'Bearer TOKEN'")
        auth = kinds[scheme.lower()](*secret.split(":", 1))
    return httpx2.Client(
        auth=auth,
        headers=headers,
        timeout=httpx2.Timeout(timeout, connect=5),
        # Where nothing is encrypted, to read the certificates would take as long as all else that a start does here.
        transport=httpx2.HTTPTransport(retries=1, verify=httpx2.URL(url).scheme == "https"),
    )


def failing(error: Exception) -> outcomes.EngineError:
    """Return the error for an engine that could not be asked."""
    if isinstance(error, httpx2.TimeoutException):
        return outcomes.engine_silent()
    # What is wrong with a request of ours may repeat its header, and that the secret.
    why = "" if isinstance(error, httpx2.LocalProtocolError) else str(error)
    return outcomes.engine_fails(f"it does not answer: {why or type(error).__name__}")


class Remote:
    """The engine at the address that some settings name. Raises ValueError for what is no address, and as `fetch` does."""

    sealed = False

    def __init__(self, settings: Settings) -> None:
        self.url = settings.engine or ""
        self.release = Path(settings.release) if settings.release else None
        # Evaluated is nothing here; but over no statements it is seen what is wrong with a query.
        self.nothing = Store()
        self.union = False
        self.patience = max(PATIENCE, settings.timeout)
        with client(self.url, PATIENCE) as self.client:
            self.about = self._state()
            self.union = self._rows(f"SELECT ?s {{ GRAPH <{UNION}> {{ ?s ?p ?o }} }} LIMIT 1") != []
        # No child shares a connection with another: each opens its own.
        self.client = client(self.url, self.patience)

    def query(self, text: str, prefixes: dict[str, str], graphs: Graphs | None, limit: int) -> Found:
        """Return the answer as Engine.query does, as the engine built in would have given it."""
        answer = self.nothing.query(text, base_iri=BASE, prefixes=prefixes)
        if graphs is None and self.union and not tokens.read(text).graphs:
            # To read all their names takes an engine longer than a short query: they are told where one may be asked for.
            graphs = [UNION], list(self.about["graphs"]) if tokens.names_graphs(text) else []
        # It gets the prefixes before the query: what may be left out here may be left out there.
        known = "".join(f"PREFIX {prefix}: <{namespace}> " for prefix, namespace in sorted(prefixes.items()))
        rows = isinstance(answer, QuerySolutions | QueryBoolean)
        fmt = _JSON if rows else _NTRIPLES
        body = self.fetch(f"BASE <{BASE}> {known}{text}", fmt.media_types[0], limit, graphs or ((), ()))
        if not rows:
            return (quad.triple for quad in parse(body, _NTRIPLES.rdf))
        found = _read(body)
        if isinstance(answer, QueryBoolean) and isinstance(found, QuerySolutions):  # Virtuoso answers an ASK with a row
            return _read(b'{"head":{},"boolean":%s}' % (b"true" if next(found)[0] == _ONE else b"false"))
        return found

    def fetch(self, query: str, media_type: str, limit: int, graphs: Graphs = ((), ())) -> bytes:
        """Return the whole answer. Raises EngineFails, EngineSilent, Unavailable, ForbiddenQuery, AnswerTooLarge.

        limit: bytes that the answer may have in the format of whoever asked; what is compact there may be eight times as
        long here.
        """
        form = [("query", query), *(("default-graph-uri", iri) for iri in graphs[0])]
        form += [("named-graph-uri", iri) for iri in graphs[1]]
        fields = {"Accept": media_type, "Content-Type": "application/x-www-form-urlencoded"}
        body, deadline = bytearray(), time.monotonic() + self.patience
        try:
            with self.client.stream("POST", self.url, content=urlencode(form), headers=fields) as response:
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > 8 * limit:
                        raise outcomes.too_large(limit)
                    if time.monotonic() > deadline:
                        raise outcomes.engine_silent()
        except httpx2.HTTPError as error:
            raise failing(error) from error
        said = body[:600].decode("utf-8", "replace").strip().split("\n")[0][:200].strip()
        if response.status_code in (400, 422):
            raise outcomes.not_evaluated(said)
        if cut := [f"{name}: {response.headers[name]}" for name in _CUT if name in response.headers]:
            raise outcomes.engine_cuts("; ".join(cut))
        given = response.headers.get("Content-Type", "no media type").partition(";")[0].strip().lower()
        if response.status_code != 200 or given != media_type:
            problem = outcomes.engine_answers(response.status_code, given, media_type)
            problem.facts["engine"] = said  # for the log: a visitor need not know what stands there
            raise problem
        return bytes(body)

    def dump(self, output: IO[bytes], fmt: Format, graph: str | None) -> None:
        """Write a dump as Engine.dump does, from the files of the release; without one, only what is here: the ontology and the questions.

        Raises Unavailable.
        """
        if self.release:
            known = downloads.files(self.about["graphs"]).items()
            name = next((name for name, (its, of) in known if (its.name, of) == (fmt.name, graph)), None)
            if name:
                with (self.release / "dumps" / name).open("rb") as file:
                    return shutil.copyfileobj(file, output, 1 << 20)
            quads = parse(path=self.release / "dumps" / (downloads.WHOLE + _NQUADS.suffix), format=_NQUADS.rdf)
            return serialized((quad.triple for quad in quads if quad.graph_name.value == graph), output, fmt)
        if graph not in downloads.HERE:
            raise outcomes.Unavailable("The files of the graph are not here: this server runs without --release.")
        here = [file for file in graph_files() if file.graph == graph]
        KnowledgeGraph(here, rules=None, named=False).dump(output, fmt, NamedNode(graph))

    def _state(self) -> dict[str, Any]:
        """Return what the release says of the state, or else what was left in the engine, or else what is counted there."""
        rows = self._rows(f"SELECT ?about {{ GRAPH <{STATE}> {{ <{STATE}> <{RDF}value> ?about }} }}")
        held: Any = json.loads(str(rows[0][0].value)) if rows else {}
        told = json.loads((self.release / "manifest.json").read_bytes()) if self.release else held or self._counted()
        try:
            about = {name: told[name] for name in ("digest", "graphs", "default", "triples")}
            elsewhere = held and held["digest"] != about["digest"]
        except (KeyError, TypeError):
            raise ValueError(f"what {self.release or self.url} says of its state is none; load it again") from None
        if elsewhere:
            raise ValueError(
                f"{self.url} holds the state {held['digest'][:12]}, and the release in {self.release} is {about['digest'][:12]}; "
                "load that, or name the one of this"
            )
        return about

    def _counted(self) -> dict[str, Any]:
        """Return what an engine holds that does not tell; whether it still is the same tomorrow cannot be told either."""
        sizes = {str(row[0].value if row[0] else ""): int(row[1].value) for row in self._rows(_COUNT)}
        unnamed, union = sizes.pop("", 0), sizes.pop(UNION, 0)
        default = [name for name in sizes if NamedNode(name) not in APART]
        digest = hashlib.sha256(f"{self.url} {time.time()} {sizes}".encode()).hexdigest()
        graphs = dict(sorted(sizes.items()))
        return {"digest": digest, "graphs": graphs, "default": default, "triples": union or unnamed}

    def _rows(self, query: str) -> list[Any]:
        """Return the rows of a SELECT. Raises as `fetch` does."""
        answer = _read(self.fetch(query, _JSON.media_types[0], 64 << 20))
        return list(answer) if isinstance(answer, QuerySolutions) else []


def _read(body: bytes) -> QuerySolutions | QueryBoolean:
    try:
        # A quotation mark within a JSON string is escaped: neither stands within a literal.
        body = _TRUTH.sub(lambda of: of[1] + (b"true" if of[2] == b"1" else b"false"), _NODE.sub(rb"\1", body))
        return parse_query_results(body, _JSON.engine)
    except SyntaxError as error:
        raise outcomes.engine_fails(error.msg) from error
