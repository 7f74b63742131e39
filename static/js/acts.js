// How does an act leave the page: one tap, "sending…", then the server's word; kept here and sent again if the line is down.
import * as store from "./store.js";
import * as drafts from "./drafts.js";
import * as regions from "./regions.js";
import { word } from "./words.js";

const person = () => document.body.dataset.person || "";
const csrf = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value || "";

export function start() {
  document.addEventListener("htmx:configRequest", (e) => { e.detail.headers["X-CSRFToken"] = csrf(); });
  document.addEventListener("htmx:beforeRequest", (e) => { busy(e.target, true); around = e.target.closest("[data-live]"); box = e.target.closest(".ops-act-box"); });
  document.addEventListener("htmx:afterRequest", (e) => { busy(e.target, false); after(e); });
  document.addEventListener("htmx:sendError", (e) => failed(e.target));
  document.addEventListener("htmx:timeout", (e) => failed(e.target));
  document.addEventListener("htmx:responseError", (e) => { if (e.detail.xhr.status === 401) document.dispatchEvent(new CustomEvent("live:signed-out", { detail: e.detail.xhr.getResponseHeader("X-Sign-In") })); else if (e.detail.xhr.status >= 500) say(e.target, word("serverError")); });
  document.addEventListener("submit", once);
  addEventListener("online", () => send());
  document.addEventListener("live:state", (e) => { if (e.detail.state === "live" && waiting) send(); });
  show();
  send();
}

// Without htmx a form is sent once only, whatever the finger does.
function once(e) {
  const form = e.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) { e.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 8000);
}

function busy(el, on) {
  const form = el.closest?.("form");
  if (!form) return;
  const button = form.querySelector("button[type=submit],button:not([type])");
  if (!button) return;
  if (on) {
    button.dataset.label = button.dataset.label || button.innerHTML;
    button.textContent = word("sending");
    button.setAttribute("aria-busy", "true");
  } else if (button.dataset.label) {
    button.innerHTML = button.dataset.label;
    delete button.dataset.label;
    button.removeAttribute("aria-busy");
  }
}

let around = null; // the region and box an act was sent from: its form is gone when the answer is in
let box = null;

function after(e) {
  const { xhr, successful, requestConfig } = e.detail;
  const form = requestConfig?.elt.closest("form"); // the event's own target may be its parent by now
  if (!form || form.method !== "post" || !xhr || !xhr.status) return;
  if (successful) {
    if (form.dataset.draft) drafts.forget(form);
    const said = xhr.getResponseHeader("X-Said");
    if (said) speak(decodeURIComponent(said));
    if (box) box.open = false;
    regions.acted(around || form);
  } else {
    requestAnimationFrame(() => document.querySelector(".ops-errors")?.focus());
  }
}

async function failed(el) {
  const form = el.closest?.("form");
  if (!form) return;
  const id = form.querySelector("[name=command_id]")?.value;
  if (!id || !("indexedDB" in window)) return say(el, word("notSent"));
  try {
    await store.put("outbox", { key: `${person()}|${id}`, at: Date.now(), url: form.getAttribute("hx-post") || form.action, rows: await store.rows(form), what: form.dataset.what || "", draft: form.dataset.draft || "" });
    say(el, word("unsent"), true);
  } catch { say(el, word("notSent")); }
  show();
}

let waiting = 0;
let sending = false;

async function mine() {
  try { return (await store.all("outbox")).filter((r) => r.key.startsWith(`${person()}|`)).sort((a, b) => a.at - b.at); } catch { return []; }
}

// In order, each with the command id of its form: a repeat has its effect once.
export async function send() {
  if (sending || !person()) return;
  sending = true;
  try {
    for (const row of await mine()) {
      const data = new FormData();
      for (const [name, value] of row.rows) data.append(name, value?.blob ? new File([value.blob], value.name, { type: value.type }) : value);
      let answer;
      try {
        answer = await fetch(row.url, { method: "POST", body: data, headers: { "X-CSRFToken": csrf(), "HX-Request": "true" }, credentials: "same-origin" });
      } catch { break; }
      if (answer.status === 401 || answer.redirected || answer.status >= 500) break;
      if (answer.headers.has("X-Other-Department")) continue; // it waits until its department is acted for again
      await store.remove("outbox", row.key);
      if (answer.ok) {
        if (row.draft) await store.remove("drafts", `${person()}|${row.draft}`);
        speak(word("sentLate", { what: row.what }));
      } else speak(word("refusedLate", { what: row.what }), true);
      regions.dirty(null);
    }
  } finally {
    sending = false;
    show();
  }
}

async function show() {
  const rows = await mine();
  waiting = rows.length;
  const bar = document.getElementById("ops-unsent");
  if (!bar) return;
  bar.hidden = !waiting;
  bar.querySelector("[data-text]").textContent = word("unsentCount", { n: waiting });
  bar.querySelector("button").onclick = () => send();
}

function say(el, text, unsent) {
  const form = el.closest("form") || el;
  let line = form.querySelector("[data-kept]");
  if (!line) {
    line = Object.assign(document.createElement("p"), { className: "ops-kept" });
    line.dataset.kept = "";
    form.append(line);
  }
  line.toggleAttribute("data-unsent", Boolean(unsent));
  line.textContent = text;
  line.setAttribute("role", "status");
}

export function speak(text, stays) {
  document.getElementById("ops-say").textContent = text;
  const toast = document.getElementById("ops-toast");
  if (!toast) return;
  toast.querySelector("[data-text]").textContent = text;
  toast.hidden = false;
  clearTimeout(toast.timer);
  if (!stays) toast.timer = setTimeout(() => { toast.hidden = true; }, 6000);
}
