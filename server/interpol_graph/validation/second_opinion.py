"""Another SHACL engine's judgement: pySHACL, for shapes that ask SPARQL queries, or for all when it is wanted.

Only this module needs rdflib and pySHACL, which take half a second to import: import it where it is used.
"""

import logging
import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Triple
from pyshacl.graph_abstraction import DataGraph
from pyshacl.validator import Validator
from rdflib.plugins import sparql
from rdflib.plugins.sparql.operators import string
from rdflib.plugins.sparql.parserutils import Expr
from rdflib.plugins.sparql.sparql import SPARQLError
from rdflib.term import Identifier, Node

from interpol_graph.shacl.data import BadShapes, Index, Term, reached, read_path, sh
from interpol_graph.shacl.literals import XSD, pattern
from interpol_graph.shacl.validation import Result
from interpol_graph.validation.imports import IMPORTS

#: In what takes the place of a pattern, as XPath writes it: an escaped character, or a group.
_GROUP = re.compile(r"\\(.)|\$(\d)")
#: Texts, IRIs, comments, variables and names of a query, in which FROM is no keyword; and the keyword.
_FROM = re.compile(r"""'[^']*'|"[^"]*"|<[^<>\s]*>|#[^\n]*|[?$:.-]\w+|\w+:|\b(FROM)\b""", re.IGNORECASE)


def _value(self: Expr, ctx: Any = {}) -> Any:  # noqa: B006  as rdflib has it
    """Return the value of an expression, an error for what Python trips over: SPARQL says what becomes of that, not Python."""
    self.ctx = ctx
    try:
        if self.name in ("Builtin_REGEX", "Builtin_REPLACE"):
            found = pattern(string(self.pattern), string(self.flags) if self.flags else "")
            if self.name == "Builtin_REGEX":
                return rdflib.Literal(found.search(string(self.text)) is not None)
            text = string(self.arg)
            written = string(self.replacement)
            instead = _GROUP.sub(lambda m: rf"\g<{m[2]}>" if m[2] else m[1].replace("\\", r"\\"), written)
            return rdflib.Literal(found.sub(instead, text), lang=text.language, datatype=text.datatype)
        return self._evalfn(ctx)  # type: ignore[misc]
    except SPARQLError as error:
        return error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, re.error) as error:
        return SPARQLError(str(error))
    finally:
        self.ctx = None


@contextmanager
def _as_sparql_says() -> Iterator[None]:
    """Have rdflib evaluate as SPARQL says, fetch no graph that a query names, and keep quiet, for as long as this lasts."""
    told = logging.getLogger("rdflib.term")
    before = Expr.eval, sparql.SPARQL_LOAD_GRAPHS, told.level
    Expr.eval, sparql.SPARQL_LOAD_GRAPHS = _value, False  # type: ignore[method-assign]
    told.setLevel(logging.ERROR)  # of ill-typed literals: here they are findings, with their lines
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Expr.eval, sparql.SPARQL_LOAD_GRAPHS = before[:2]  # type: ignore[method-assign]
        told.setLevel(before[2])


def results(data: Index, shapes: Index, only: Collection[Term]) -> Iterator[tuple[Term, Result]]:
    """Yield what pySHACL has to say of data, each result with the node of the shape at whose targets it was found.

    only: the nodes of these shapes.

    Raises BadShapes, with the shape that was being judged, for whatever pySHACL trips over.
    """
    _check_queries(shapes)
    options = {"inplace": True, "max_validation_depth": 100}
    node: Term = next(iter(only), NamedNode("urn:shapes"))
    with _as_sparql_says():
        judged = DataGraph.from_rdflib(_as_rdflib(data))
        validator = Validator(judged, shacl_graph=_with_prefixes(shapes), options=options)
        executor = validator.make_executor()
        try:
            for shape in validator.shacl_graph.shapes:
                node = from_rdflib(shape.node)
                if node in only:
                    for _, result, triples in shape.validate(executor, validator.data_graph)[1]:
                        yield node, _result(shapes, from_rdflib(result), triples)
        except BadShapes:
            raise
        except Exception as error:  # whatever it raises, the shapes are what it could not use
            reason = " ".join(str(getattr(error, "message", "") or error).split())
            raise BadShapes(node, f"pySHACL cannot judge by this shape: {reason}") from error


def _result(shapes: Index, result: Term, triples: Iterable[tuple[Any, ...]]) -> Result:
    """Return a result that pySHACL states in triples, in which a node of one of the graphs comes with its graph."""
    terms: Iterator[Any] = (map(from_rdflib, (s, p, o[1] if isinstance(o, tuple) else o)) for s, p, o in triples)
    stated = Index(Triple(*each) for each in terms)

    def one(name: str) -> Any:
        return next(iter(stated.objects(result, sh(name))), None)

    path = read_path(shapes, one("resultPath")) if one("resultPath") else None
    messages = tuple(term for term in stated.objects(result, sh("resultMessage")) if isinstance(term, Literal))
    messages = messages or (Literal("The query of the constraint finds this."),)
    shape, component, severity = map(one, ("sourceShape", "sourceConstraintComponent", "resultSeverity"))
    return Result(one("focusNode"), path, one("value"), shape, component, messages, severity)


def _check_queries(shapes: Index) -> None:
    """Raise BadShapes for a query that asks another graph than the data, which pySHACL lets pass."""
    for name in ("select", "ask"):
        for node, texts in shapes.column(sh(name)).items():
            if any(match[1] for text in texts for match in _FROM.finditer(getattr(text, "value", ""))):
                raise BadShapes(node, "FROM is not allowed in a query of a constraint, which asks the data alone")


def _with_prefixes(shapes: Index) -> rdflib.Graph:
    """Return a shapes graph in which a query's prefixes are declared where it says, not only where that imports them from."""
    graph = _as_rdflib(shapes)
    for start in {node for nodes in shapes.column(sh("prefixes")).values() for node in nodes}:
        for ontology in reached(start, lambda each: shapes.objects(each, IMPORTS)):
            for declaration in shapes.objects(ontology, sh("declare")):
                graph.add((to_rdflib(start), to_rdflib(sh("declare")), to_rdflib(declaration)))
    return graph


def _as_rdflib(index: Index) -> rdflib.Graph:
    graph = rdflib.Graph()
    for statement in index.statements():
        subject, predicate, value = map(to_rdflib, statement[:3])
        graph.add((subject, predicate, value))
    return graph


def to_rdflib(term: Term) -> Identifier:
    """Return rdflib's form of a term, literals as written. Raises ValueError for a triple, which rdflib cannot hold.

    >>> to_rdflib(Literal("007", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer"))).n3()
    '"007"^^<http://www.w3.org/2001/XMLSchema#integer>'
    """
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    if isinstance(term, Triple):
        raise ValueError("a triple as a term is RDF 1.2, which is not supported here")
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    datatype = None if term.datatype.value == XSD + "string" else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, datatype=datatype, normalize=False)


def from_rdflib(node: Node) -> NamedNode | BlankNode | Literal:
    """Return pyoxigraph's form of a term."""
    if isinstance(node, rdflib.Literal):
        if node.language:
            return Literal(str(node), language=node.language)
        return Literal(str(node), datatype=NamedNode(str(node.datatype or XSD + "string")))
    return BlankNode(str(node)) if isinstance(node, rdflib.BNode) else NamedNode(str(node))
