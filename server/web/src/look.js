// The language as the editor shows it: the colours are variables of the page's style sheet, so that it is light or dark with the page.
import { HighlightStyle, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { styleTags, tags } from "@lezer/highlight";
import { SparqlLanguage } from "codemirror-lang-sparql";

// The grammar has no tags for names.
const named = styleTags({ "Pname_ln Pname_ns A_predicate": tags.className, IriRef: tags.url });
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.bool], color: "var(--code-word)", fontWeight: "600" },
  { tag: [tags.variableName], color: "var(--code-variable)" },
  { tag: [tags.string, tags.number], color: "var(--code-value)" },
  { tag: [tags.url, tags.className], color: "var(--link)" },
  { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
]);

export const language = [
  new LanguageSupport(SparqlLanguage.configure({ props: [named] })),
  SparqlLanguage.data.of({ commentTokens: { line: "#" } }),
  syntaxHighlighting(colours),
];

export const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "none" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--line)" },
  ".cm-tooltip": { color: "var(--ink)", backgroundColor: "var(--raised)", border: "1px solid var(--line)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxWidth: "min(46rem, 90vw)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--paper)", backgroundColor: "var(--accent)" },
  ".cm-completionDetail": { fontFamily: "var(--sans)", fontStyle: "normal", opacity: "0.85" },
  // By default a picture in the address of a style, which the strict policy forbids.
  ".cm-lintRange-error": { background: "var(--warn-paper)", boxShadow: "0 3px 0 var(--warn)" },
  ".cm-diagnostic": { fontFamily: "var(--sans)", borderLeft: "4px solid var(--warn)" },
});
