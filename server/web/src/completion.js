// Completes keywords, variables, prefixes, terms by name or label, and entities by their names.
import { syntaxTree } from "@codemirror/language";

const KEYWORDS =
  "SELECT DISTINCT CONSTRUCT DESCRIBE ASK WHERE FROM NAMED GRAPH OPTIONAL UNION MINUS FILTER EXISTS BIND VALUES GROUP BY HAVING ORDER ASC DESC LIMIT OFFSET COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT REGEX CONTAINS STRSTARTS COALESCE BOUND LANG STR YEAR".split(
    " ",
  );
/** What is typed: a variable, or a name with or without its prefix. */
const TYPED = /[?$][\p{L}\p{N}_]*|[\p{L}][\p{L}\p{N}_-]*(?::[\p{L}\p{N}_.-]*)?/u;
const MOST = 40;

/** data: the addresses of the terms (a JSON of prefixes and terms with their labels) and of the search. */
export function sources({ terms, search }) {
  let loading;
  const offer = (found) => async (context) => {
    const word = context.matchBefore(TYPED);
    const place = syntaxTree(context.state).resolveInner(context.pos, -1).name;
    if (/string|comment|iriref/i.test(place) || (!context.explicit && (word?.text.length ?? 0) < 2)) return null;
    loading ??= fetch(terms).then((answer) => answer.json());
    const options = await found(await loading, word?.text ?? "", context);
    return context.aborted ? null : { from: word?.from ?? context.pos, options, filter: false };
  };
  // Two, so that what is known here does not wait for what is searched for there.
  return [offer(known), offer((told, typed, context) => entities(context, search, told.prefixes, typed))];
}

/** Variables of the query, or keywords, prefixes and terms. */
function known({ prefixes, terms }, typed, context) {
  if (/^[?$]/.test(typed)) return variables(context.state.doc.toString(), typed);
  return typed.includes(":") ? ranked(terms, typed) : [...words(prefixes, typed), ...ranked(terms, typed)];
}

function variables(text, typed) {
  const names = new Set(text.match(/[?$][\p{L}\p{N}_]+/gu));
  names.delete(typed);
  return [...names].sort().map((label) => ({ label }));
}

/** Keywords and prefixes that begin so. */
function words(prefixes, typed) {
  const begins = (word) => typed && word.toLowerCase().startsWith(typed.toLowerCase());
  const keywords = KEYWORDS.filter(begins).map((label) => ({ label }));
  return [...keywords, ...Object.entries(prefixes).filter(([name]) => begins(name)).map(([name, iri]) => ({ label: `${name}:`, detail: iri }))];
}

/** Terms whose name, or a word of whose label, begins so; then those that hold it. */
function ranked(terms, typed) {
  const wanted = plain(typed);
  const found = [];
  for (const [label, detail] of Object.entries(terms)) {
    const name = plain(label);
    const words = plain(detail);
    const local = name.slice(name.indexOf(":") + 1);
    if (name.startsWith(wanted) || local.startsWith(wanted)) found.push([0, label, detail]);
    else if (` ${words}`.includes(` ${wanted}`)) found.push([1, label, detail]);
    else if (wanted.length > 2 && name.includes(wanted)) found.push([2, label, detail]);
  }
  found.sort(([a, x], [b, y]) => a - b || x.length - y.length);
  return found.slice(0, MOST).map(([, label, detail]) => ({ label, detail }));
}

/** Entities that are called so, of the kind of the prefix if there is one. */
async function entities(context, search, prefixes, typed) {
  const [prefix, local] = typed.includes(":") ? typed.split(":") : ["", typed];
  const space = prefixes[prefix] ?? "";
  if (local.length < 2 || /^[?$]/.test(typed) || (prefix && !space.includes("/id/"))) return [];
  const stop = new AbortController();
  context.addEventListener("abort", () => stop.abort());
  try {
    const address = `${search}${search.includes("?") ? "&" : "?"}q=${encodeURIComponent(local.replace(/[-_.]/g, " "))}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: stop.signal });
    const hits = answer.ok ? await answer.json() : [];
    return hits
      .filter((hit) => hit.iri.startsWith(space) && hit.iri.includes("/id/"))
      .slice(0, MOST / 2)
      .map(({ iri, label }) => ({ label: short(prefixes, iri), detail: label }));
  } catch {
    return []; // the next letter was quicker, or nobody answers: what is known here is offered
  }
}

function short(prefixes, iri) {
  const cut = iri.lastIndexOf("/") + 1;
  const [prefix] = Object.entries(prefixes).find(([, space]) => space === iri.slice(0, cut)) ?? [];
  return prefix && /^[\w-]+$/.test(iri.slice(cut)) ? `${prefix}:${iri.slice(cut)}` : `<${iri}>`;
}

function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
