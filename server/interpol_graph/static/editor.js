// Where the editor is not built: Ctrl+Enter (or Cmd+Enter) in the text field runs the query.
const form = document.querySelector("[data-editor]");
form.elements.query.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});
