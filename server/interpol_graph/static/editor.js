// Ctrl+Enter (or Cmd+Enter) in the editor runs the query; everything else works without script.
const form = document.querySelector("[data-editor]");
const query = form.elements.query;
document.querySelector(".keys").hidden = false;
query.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});
