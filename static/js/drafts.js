// What was typed is not lost: forms with data-draft are kept on this device until they are sent.
import * as store from "./store.js";
import { word } from "./words.js";

const person = () => document.body.dataset.person || "";
const keyOf = (form) => `${person()}|${form.dataset.draft}`;

const each = (act) => document.querySelectorAll("form[data-draft]").forEach(act);

export function start() {
  if (!person() || !("indexedDB" in window)) return;
  each(watch);
  for (const name of ["ops:swapped", "htmx:afterSwap"]) document.addEventListener(name, () => each(watch));
  addEventListener("visibilitychange", () => { if (document.hidden) each(keep); });
  addEventListener("pagehide", () => each(keep));
  document.addEventListener("submit", leaving, true);
  // a page that names what has been accepted may forget its draft
  for (const el of document.querySelectorAll("[data-draft-sent]")) store.remove("drafts", `${person()}|${el.dataset.draftSent}`);
}

function watch(form) {
  if (form.dataset.watched) return;
  form.dataset.watched = "1";
  restore(form);
  let timer = 0;
  const note = () => {
    form.dataset.touched = "1";
    timer ||= setTimeout(() => { timer = 0; keep(form); }, 2000);
  };
  form.addEventListener("input", note);
  form.addEventListener("change", note);
}

async function keep(form) {
  if (!form.dataset.touched || !form.isConnected) return;
  delete form.dataset.touched;
  try {
    await store.put("drafts", { key: keyOf(form), at: Date.now(), rows: await store.rows(form) });
    tell(form, word("kept"));
  } catch { tell(form, word("notKept")); }
}

async function restore(form) {
  if (form.querySelector("[aria-invalid=true]") || form.dataset.bound) return; // the server gave back what was sent
  const draft = await store.get("drafts", keyOf(form)).catch(() => null);
  if (!draft || Date.now() - draft.at > 7 * 86400000) return;
  const files = new Map();
  const seen = new Set();
  for (const field of form.querySelectorAll("input[type=checkbox]")) field.checked = false;
  for (const [name, value] of draft.rows) {
    if (value?.blob) { files.set(name, [...files.get(name) || [], new File([value.blob], value.name, { type: value.type })]); continue; }
    fill(form, name, value, seen);
  }
  for (const [name, list] of files) {
    const field = form.querySelector(`input[type=file][name="${CSS.escape(name)}"]`);
    if (!field || !window.DataTransfer) continue;
    const box = new DataTransfer();
    list.forEach((f) => box.items.add(f));
    field.files = box.files;
  }
  for (const field of form.querySelectorAll("input[type=file]")) field.dispatchEvent(new Event("change", { bubbles: true }));
  tell(form, word("restored", { t: new Date(draft.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }) }));
  form.dispatchEvent(new Event("input", { bubbles: true }));
  delete form.dataset.touched;
}

// The n-th value of a name goes to its n-th field; command ids and versions are the page's own.
function fill(form, name, value, seen) {
  if (name === "command_id" || name === "if_version") return;
  if (name === "attachments") { // photos that have arrived
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    return;
  }
  const fields = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)].filter((f) => f.type !== "hidden" && f.type !== "file");
  const choice = fields.find((f) => ["checkbox", "radio"].includes(f.type) && f.value === value);
  if (choice) { choice.checked = true; return; }
  const free = fields.find((f) => !["checkbox", "radio"].includes(f.type) && !seen.has(f));
  if (free) { seen.add(free); free.value = value; }
}

function tell(form, text) {
  const line = form.querySelector("[data-kept]");
  if (line && !("unsent" in line.dataset)) line.textContent = text; // that it was not sent matters more
}

// Sign-out wipes this device; where something was not sent, it asks first.
async function leaving(e) {
  if (!e.target.matches("form[data-sign-out]") || e.target.dataset.wiped) return;
  e.preventDefault();
  e.stopImmediatePropagation();
  const [drafts, unsent] = [await store.all("drafts"), await store.all("outbox")];
  const mine = [...drafts, ...unsent].filter((r) => r.key.startsWith(`${person()}|`)).length;
  if (mine && !confirm(word("wipe", { n: mine }))) return;
  await store.wipe();
  e.target.dataset.wiped = "1";
  e.target.submit();
}

export const forget = (form) => { delete form.dataset.touched; return store.remove("drafts", keyOf(form)); };
