// Lays an editor over the text field of the SPARQL page; the field stays what the form sends.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, isolateHistory } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { sources } from "./completion.js";
import { faults } from "./faults.js";
import { language, look } from "./look.js";

const form = document.querySelector("[data-editor]");
const field = form.elements.query;
const label = form.querySelector("label[for=query]");
const keys = form.querySelector(".keys");

function run() {
  form.requestSubmit();
  return true;
}

// Chrome would keep the style of a selection that is typed over, as an inline style, which the strict policy forbids.
function typedOver(event, editor) {
  const { state } = editor;
  const { from, to, empty } = state.selection.main;
  if (event.inputType !== "insertText" || empty || !event.data) return false;
  const insert = () => state.update(state.replaceSelection(event.data), { userEvent: "input.type" });
  const handlers = state.facet(EditorView.inputHandler);
  if (!handlers.some((handle) => handle(editor, from, to, event.data, insert))) editor.dispatch(insert());
  event.preventDefault();
  return true;
}

// Within a shadow root the editor's styles are adopted style sheets, which the strict policy lets be.
const host = document.createElement("div");
host.className = "code";
host.style.height = `${field.offsetHeight}px`;
const shadow = host.attachShadow({ mode: "open" });
const view = new EditorView({
  root: shadow,
  parent: shadow,
  state: EditorState.create({
    doc: field.value,
    extensions: [
      Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
      // Tab is left to the browser: it leads on to the next field.
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
      lineNumbers(),
      highlightSpecialChars(),
      history(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion({ override: sources(form.dataset), icons: false }),
      language,
      look,
      faults(form.dataset),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({
        "aria-label": label.textContent,
        "aria-description": keys.textContent,
        "aria-invalid": String(field.hasAttribute("aria-invalid")),
      }),
      EditorView.domEventHandlers({ beforeinput: typedOver }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) field.value = update.state.doc.toString();
      }),
    ],
  }),
});
field.after(host);
field.hidden = true;
keys.hidden = false;
label.addEventListener("click", () => view.focus());
new ResizeObserver(() => view.requestMeasure()).observe(host);

// A question is put in the place of what stands here, which one step of undo brings back; the chosen format stays.
for (const link of document.querySelectorAll("a[data-load]")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { load } = link.dataset;
    const insert = load ? await fetch(load).then((answer) => answer.text()) : new URL(link).searchParams.get("query");
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: insert.trim() },
      selection: { anchor: 0 },
      annotations: isolateHistory.of("full"),
      scrollIntoView: true,
    });
    form.querySelector("[role=status]").textContent = form.dataset.loaded;
    host.scrollIntoView({ block: "nearest" });
    view.focus();
  });
}
