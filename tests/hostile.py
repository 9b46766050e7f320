"""Queries that would freeze an endpoint, break its parser or eat its memory."""

from __future__ import annotations

#: Three of them multiply to 10^15 rows.
ALL = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i"

CROSS_JOINS = {
    "select": f"SELECT * {{ {ALL} }}",
    "select, counted": f"SELECT (COUNT(*) AS ?n) {{ {ALL} }}",
    "select, distinct": f"SELECT DISTINCT ?a ?d ?g {{ {ALL} }}",
    "ask": f'ASK {{ {ALL} FILTER (CONCAT(STR(?a), STR(?d), STR(?g)) = "x") }}',
    "construct": f"CONSTRUCT {{ ?a ?e ?i }} {{ {ALL} }}",
    "describe": f"DESCRIBE ?a ?d ?g {{ {ALL} }}",
    "exists": f"SELECT * {{ ?x ?y ?z FILTER NOT EXISTS {{ {ALL} FILTER (?x != ?x) }} }}",
    "minus": f"SELECT * {{ {ALL} MINUS {{ ?a ?y ?z . ?d ?v ?w }} }}",
    "optional": "SELECT * { ?a ?b ?c OPTIONAL { ?d ?e ?f OPTIONAL { ?g ?h ?i FILTER (?a != ?g) } } }",
    "union": f"SELECT * {{ {{ {ALL} }} UNION {{ {ALL} }} }}",
    "values": "SELECT (COUNT(*) AS ?n) { " + " ".join(f"VALUES ?v{i} {{ {'1 ' * 100} }}" for i in range(8)) + " }",
    "graphs": "SELECT * { GRAPH ?g { ?a ?b ?c } GRAPH ?h { ?d ?e ?f } GRAPH ?i { ?j ?k ?l } }",
}

PATHS = {
    "star of everything": "SELECT * { ?a (!<x:none>)* ?b }",
    "nested stars": "SELECT (COUNT(*) AS ?n) { ?a ((((!<x:none>)*)*)*)* ?b }",
    "nested plus and alternative": "SELECT * { ?a ((<x:a>|!<x:b>)+/(^<x:c>|!<x:d>)*)+ ?b }",
    "inverse negated": "SELECT * { ?a (!(<x:a>|^<x:b>))+/(!(<x:a>|^<x:b>))+ ?b . ?b (!<x:c>)+ ?c }",
    "long sequence": "SELECT * { ?a " + "/".join(["(!<x:n>|^(!<x:n>))"] * 40) + " ?b }",
    "both ends open": "SELECT * { ?a <x:p>* ?b . ?c <x:p>* ?d . ?e <x:p>* ?f }",
}

GREEDY = {
    "order by": "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY DESC(?c) ?f STR(?a)",
    "order by random": "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY RAND() LIMIT 1",
    "group concat": "SELECT (GROUP_CONCAT(?c) AS ?x) { ?a ?b ?c . ?d ?e ?f }",
    "group concat of groups": "SELECT ?a (GROUP_CONCAT(CONCAT(STR(?c), STR(?f))) AS ?x) { ?a ?b ?c . ?d ?e ?f } GROUP BY ?a",
    "many groups": "SELECT ?a ?f (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f } GROUP BY ?a ?f",
    "distinct count": "SELECT (COUNT(DISTINCT CONCAT(STR(?c), STR(?f))) AS ?n) { ?a ?b ?c . ?d ?e ?f }",
    "doubled text": "SELECT ?x25 { BIND('0123456789' AS ?x0) "
    + " ".join(f"BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(25)) + " }",
    "doubled text, encoded": "SELECT (ENCODE_FOR_URI(?x22) AS ?y) { BIND('é€𝄞' AS ?x0) "
    + " ".join(f"BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(22)) + " }",
    "replaced again and again": "SELECT ?x7 { BIND('aaaaaaaaaa' AS ?x0) "
    + " ".join(f"BIND(REPLACE(?x{i}, 'a', 'aaaaaaaaaa') AS ?x{i + 1})" for i in range(7)) + " }",
    "hashes": "SELECT (SUM(STRLEN(SHA512(CONCAT(STR(?a), STR(?f))))) AS ?n) { ?a ?b ?c . ?d ?e ?f }",
    "large answer": "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 3000000",
}  # fmt: skip

#: Expressions that back-tracking engines take exponential time for, and ones that grow when they are compiled.
REGEX_BOMBS = (
    "(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){25}", "((a{0,99}){0,99}){0,99}", "a{1,1000}{1,1000}", "(\\\\w{1,500}){1,500}",
    "(?:a?){999}a{999}", "[" + "a-z" * 5000 + "]", "(" * 3000 + "a" + ")" * 3000, "(", "a**", "(?R)", "\\\\1(a)", "(?=a)",
    "\\\\p{L}{1,999}{1,99}", "^(([a-z])+.)+[A-Z]([a-z])+$", "|".join(["a*"] * 9000),
)  # fmt: skip


def nested(depth: int) -> dict[str, str]:
    """Return queries that nest each thing that nests, as deep as said."""

    def around(left: str, core: str, right: str) -> str:
        return left * depth + core + right * depth

    return {
        "parentheses": f"SELECT ({around('(', '1', ')')} AS ?x) {{}}",
        "negations": f"ASK {{ FILTER ({around('!', 'true', '')}) }}",
        "minus signs": f"SELECT ({around('-(', '1', ')')} AS ?x) {{}}",
        "functions": f"SELECT ({around('STR(', '1', ')')} AS ?x) {{}}",
        "ifs": f"SELECT ({around('IF(true,', '1', ',2)')} AS ?x) {{}}",
        "sums": "SELECT (1" + "+1" * depth + " AS ?x) {}",
        "disjunctions": "ASK { FILTER (false" + "||false" * depth + ") }",
        "groups": f"SELECT * {around('{', '?s ?p 1', '}')}",
        "unions inside": f"SELECT * {around('{{} UNION ', '{}', '}')}",
        "unions beside": "SELECT * { {}" + " UNION {}" * depth + " }",
        "optionals": f"SELECT * {{ {around('OPTIONAL { ?s ?p 1 ', '', '}')} }}",
        "graphs": f"SELECT * {{ {around('GRAPH ?g { ', '', '}')} }}",
        "minuses": f"SELECT * {{ {around('?s ?p 1 MINUS { ', '', '}')} }}",
        "subselects": f"SELECT * {{ {around('{ SELECT * { ', '', '} }')} }}",
        "exists": f"ASK {{ {around('FILTER EXISTS { ', '', '}')} }}",
        "paths": f"SELECT * {{ ?s {around('(', '<x:p>', ')*')} ?o }}",
        "inverse paths": f"SELECT * {{ ?s {around('^(', '<x:p>', ')')} ?o }}",
        "path sequence": "SELECT * { ?s <x:p>" + "/<x:p>" * depth + " ?o }",
        "path alternatives": "SELECT * { ?s <x:p>" + "|<x:p>" * depth + " ?o }",
        "blank nodes": f"SELECT * {{ {around('[ <x:p> ', '1', ' ]')} . }}",
        "lists": f"SELECT * {{ {around('( ', '1', ' )')} <x:p> 1 }}",
        "quoted triples": f"SELECT * {{ {around('<< <x:s> <x:p> ', '<x:o>', ' >>')} <x:p> 1 }}",
        "triple terms": f"SELECT * {{ <x:s> <x:p> {around('<<( <x:s> <x:p> ', '<x:o>', ' )>>')} }}",
        "unclosed": "SELECT * " + "{" * depth,
        "unclosed parentheses": "SELECT (" + "(" * depth,
        "binds": "SELECT * { BIND(1 AS ?v0) " + " ".join(f"BIND(?v{i}+1 AS ?v{i + 1})" for i in range(min(depth, 20_000))) + " }",
        "filters": "SELECT * { ?s ?p 1 " + "FILTER(?s != 1) " * depth + "}",
        "triples": "SELECT * { " + "?s ?p 1 . " * min(depth, 5_000) + "}",
        "values": "SELECT * { VALUES ?x { " + "1 " * depth + "} }",
        "columns": "SELECT " + " ".join(f"(1 AS ?v{i})" for i in range(min(depth, 20_000))) + " {}",
        "prefixes": "".join(f"PREFIX p{i}: <x:> " for i in range(depth)) + "ASK {}",
        "conditions of having": "SELECT ?s { ?s ?p 1 } GROUP BY ?s HAVING " + "(1=1)" * depth,
    }  # fmt: skip


MEGA = 1_000_000
#: A million characters each: what a tokenizer or an error message could stumble over.
LONG = {
    "spaces": "ASK {" + " " * MEGA + "}",
    "comment": "#" + "x" * MEGA + "\nASK {}",
    "comments": "#\n" * (MEGA // 2) + "ASK {}",
    "one variable": "SELECT ?" + "x" * MEGA + " {}",
    "one literal": 'SELECT ("' + "x" * MEGA + '" AS ?x) {}',
    "one IRI": "ASK { <x:" + "x" * MEGA + "> ?p ?o }",
    "one number": f"SELECT ({'9' * MEGA} AS ?x) {{}}",
    "one keyword": "SELECT" + "T" * MEGA,
    "unclosed literal": 'ASK { ?s ?p "' + "x" * MEGA,
    "unclosed long literal": "ASK { ?s ?p '''" + "'" * 2 + "x" * MEGA,
    "quotes": "ASK { " + "'" * MEGA,
    "double quotes": "ASK { " + '"' * (MEGA - 1),
    "mixed quotes": "ASK { " + "'\"" * (MEGA // 2),
    "backslashes": 'ASK { ?s ?p "' + "\\" * MEGA,
    "escapes": "ASK { ?s ?p '" + "\\u0041" * (MEGA // 6) + "' }",
    "bad escapes": "ASK { ?s ?p '" + "\\u00" * (MEGA // 4) + "' }",
    "less-than signs": "ASK { " + "<" * MEGA,
    "less-than and space": "ASK { " + "< " * (MEGA // 2),
    "colons": "ASK { " + ":" * MEGA,
    "names": "ASK { " + "a:b " * (MEGA // 4) + "}",
    "dots": "ASK { " + "a." * (MEGA // 2),
    "percent": "ASK { a:" + "%41" * (MEGA // 3) + " ?p ?o }",
    "at signs": "ASK { ?s ?p 'x'" + "@" * MEGA,
    "language": "ASK { ?s ?p 'x'@" + "a-" * (MEGA // 2) + "a }",
    "service, nearly": "ASK { " + "SERVIC " * (MEGA // 7) + "}",
    "service in comments": "#SERVICE\n" * (MEGA // 9) + "ASK {}",
    "newlines then a fault": "\n" * MEGA + "ASKK {}",
    "wide characters": "ASK { ?s ?p '" + "𝄞" * (MEGA // 4) + "' }",
    "null bytes": "ASK {" + "\0" * MEGA + "}",
    "from": "SELECT * " + "FROM <x:g> " * (MEGA // 11) + "{}",
}  # fmt: skip
