"""The command `release`: the graph as a folder of files for a static host, the same bytes for the same graph. 0 written, 2 could not run."""

import hashlib
import json
import re
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import click
import httpx2
from pyoxigraph import RdfFormat, parse

from interpol_graph import __version__
from interpol_graph.app import create_app
from interpol_graph.cli import Failure
from interpol_graph.engine.limits import Settings
from interpol_graph.engine.pool import EvaluatorProcess, NotStarted
from interpol_graph.graph import difference, downloads
from interpol_graph.graph.formats import BY_NAME
from interpol_graph.graph.prefixes import BASE, expand, shorten
from interpol_graph.graph.questions import LANGUAGES
from interpol_graph.graph.statements import canonical
from interpol_graph.site.phrases import PHRASES

PREVIOUS = click.Path(exists=True, file_okay=False, path_type=Path)
#: Whoever makes a release waits for it.
_PATIENT = Settings(timeout=3600.0, memory=1 << 16, answer=1 << 12)
#: What things and documents are called by; a literal and an IRI as N-Triples write them.
_NAMES = expand("rdfs:label"), expand("dcterms:title")
_LITERAL, _IRI = re.compile(r'"(.*)"(?:@[\w-]+|\^\^<\S+>)?', re.DOTALL), re.compile(r"<([^<>\s]+)>")
_QUADS, _DESCRIPTION = downloads.WHOLE + BY_NAME["nquads"].suffix, "dataset" + BY_NAME["turtle"].suffix


@click.command("release")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--previous", metavar="DIR", type=PREVIOUS, help="The release before, to tell what changed since it.")
@click.option("--url", default=BASE.rstrip("/"), show_default=True, help="Address at which DIR will be served.")
def command(folder: Path, previous: Path | None, url: str) -> None:
    """Write a release into DIR: dumps, checksums, VoID and DCAT, a manifest, and what changed since the one before."""
    try:
        (folder / "dumps").mkdir(parents=True, exist_ok=True)
        with EvaluatorProcess(_PATIENT) as process:
            app, about = create_app(process.pool()), process.about
            address = httpx2.URL(url)
            transport = httpx2.WSGITransport(app, script_name=address.path.rstrip("/"))
            with httpx2.Client(base_url=address.copy_with(path="/"), transport=transport) as server:
                sums = _fetched(server, "/dumps/SHA256SUMS", folder).read_text(encoding="utf-8")
                for line in sums.splitlines():
                    _fetched(server, f"/dumps/{line.split()[1]}", folder)
                _fetched(server, "/dataset", folder, _DESCRIPTION)
                if previous:
                    _compare(previous, folder, about["digest"], app.jinja_env)
                    _fetched(server, "/static/site.css", folder, "site.css")
    except NotStarted as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"cannot write the release: {error.strerror or error}, at {error.filename or folder}") from error
    files = {path.relative_to(folder).as_posix(): _file(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    files.pop("manifest.json", None)
    told = {name: about[name] for name in ("digest", "triples", "default", "graphs")}
    digest = hashlib.sha256()
    for quad in canonical(parse(path=folder / "dumps" / _QUADS, format=RdfFormat.N_QUADS)):
        digest.update(f"{quad} .\n".encode())
    manifest = {"version": __version__, "url": url, **told, "rdfc10": digest.hexdigest(), "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"{about['digest']}: {len(files)} files in {folder}")


def _fetched(server: httpx2.Client, path: str, folder: Path, name: str = "") -> Path:
    """Write what the application answers at a path into a folder, and return where."""
    target = folder / (name or path[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    with server.stream("GET", path, headers={"Accept": "*/*"}) as response, target.open("wb") as file:
        if response.status_code != 200:
            response.read()
            raise Failure(f"{path} cannot be made: {response.json().get('detail')}")
        for piece in response.iter_bytes():
            file.write(piece)
    return target


def _compare(previous: Path, folder: Path, digest: str, templates: Any) -> None:
    """Write what changed since a release: a page in each language, Turtle and JSON."""
    try:
        before = json.loads((previous / "manifest.json").read_bytes())["digest"]
        facts = [difference.Facts(place / "dumps" / _QUADS) for place in (previous, folder)]
    except (OSError, ValueError, KeyError, SyntaxError) as error:
        raise Failure(f"{previous} holds no release: {error}") from error
    found = list(difference.changes(*facts))
    entities = [(entity, list(changes)) for entity, changes in groupby(found, key=attrgetter("entity"))]
    told = {"before": before, "after": digest, "entities": entities}
    listed = [{"entity": entity, "changes": [asdict(one) for one in changes]} for entity, changes in entities]
    data = {"from": before, "to": digest, "entities": listed}
    texts = {"json": json.dumps(data, ensure_ascii=False, indent=1) + "\n"}
    texts["ttl"] = templates.get_template("difference.ttl").render(told)
    for speech in ("en", "fr"):
        texts[f"{speech}.html"] = templates.get_template("difference.html").render(told | _words(facts, speech))
    for suffix, text in texts.items():
        (folder / f"difference.{suffix}").write_text(text, encoding="utf-8")


def _words(facts: list[difference.Facts], speech: str) -> dict[str, object]:
    """Return what a page that stands alone says its words and names with, new ones first, in English or French."""

    def label(iri: str) -> str:
        said = {text: n for n, one in enumerate(facts) for name in _NAMES for text in one.values.get((iri, name), ())}
        of_speech = sorted(said, key=lambda text: (not text.endswith(f"@{speech}"), -said[text], text))
        named = PHRASES.get(shorten(iri), {}).get(speech, shorten(iri))
        return shown(of_speech[0]) if of_speech else named

    def shown(text: str) -> str:
        literal = _LITERAL.fullmatch(text)
        return literal[1].replace('\\"', '"') if literal else _IRI.sub(lambda iri: shorten(iri[1]), text)

    words = {"w": lambda key: PHRASES[key][speech], "speech": speech, "languages": LANGUAGES}
    return words | {"label": label, "short": shorten, "shown": shown}


def _file(path: Path) -> dict[str, object]:
    """Return size and checksum of a file."""
    with path.open("rb") as content:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}
