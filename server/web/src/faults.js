// What is wrong with the query, marked where it stands: what the server said of it, else where it stops being SPARQL.
import { syntaxTree } from "@codemirror/language";
import { linter } from "@codemirror/lint";

/** data: line, column and what the server said of the query that the page came with; what to say of a slip. */
export function faults({ line, column, fault, slip }) {
  let first;
  return linter((view) => {
    const { doc } = view.state;
    first ??= doc;
    if (doc === first && line) {
      const { from, to } = doc.line(Math.min(line, doc.lines));
      const start = Math.min(from + Number(column) - 1, to);
      return [mark(doc, start, to, fault)];
    }
    const found = [];
    syntaxTree(view.state).iterate({
      enter: (node) => {
        if (node.type.isError && !found.length) found.push(mark(doc, node.from, node.to, slip));
        return !found.length;
      },
    });
    return doc.toString().trim() ? found : [];
  });
}

/** A mark of at least one character, so that it can be seen. */
function mark(doc, from, to, message) {
  const end = Math.min(Math.max(to, from + 1), doc.length);
  return { from: Math.min(from, Math.max(end - 1, 0)), to: end, severity: "error", message };
}
