// Which theme does the page wear? The person's choice is kept by the server; here it only shows at once.
export function start() {
  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (!form.matches("form[data-theme-form]") || !window.fetch) return;
    e.preventDefault();
    const data = new FormData(form);
    const chosen = (e.submitter && e.submitter.value) || data.get("theme");
    if (e.submitter && e.submitter.name) data.set(e.submitter.name, chosen);
    document.documentElement.dataset.theme = chosen;
    for (const b of form.querySelectorAll("[name=theme]")) b.setAttribute("aria-pressed", String(b.value === chosen));
    fetch(form.action, { method: "POST", body: data, headers: { "HX-Request": "true" }, credentials: "same-origin" });
  }, true);
}
