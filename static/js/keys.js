// Which keys do something? Never in a field, with a modifier or while a text is being composed; a user can turn them off.
const off = () => document.body.dataset.keys === "off";
let pending = "";
let since = 0;

export function start() {
  addEventListener("keydown", press);
  for (const b of document.querySelectorAll("[data-help]")) b.addEventListener("click", help);
}

function press(e) {
  if (off() || e.defaultPrevented || e.isComposing || e.keyCode === 229 || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.target.closest("input,textarea,select,[contenteditable]")) return;
  if (document.querySelector("dialog[open]")) return;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  if (pending === "g" && performance.now() - since < 1500) {
    pending = "";
    const to = { d: "desk", m: "map" }[key];
    if (to && follow(`[data-go="${to}"]`)) e.preventDefault();
    return;
  }
  pending = "";
  if (key === "g") { pending = "g"; since = performance.now(); return; }
  const act = { j: () => step(1), k: () => step(-1), Enter: open, a: () => tap("acknowledge"), f: () => tap("feedback"), n: () => follow("[data-go=new]"), "/": search, "?": help }[key];
  if (act && act(e) !== false) e.preventDefault();
}

const rows = () => [...document.querySelectorAll("[data-row]")].filter((r) => r.getClientRects().length && !r.inert);
const current = () => document.querySelector("[data-row][data-current]");

function step(by) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(current());
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  for (const r of all) delete r.dataset.current;
  next.dataset.current = "";
  const link = next.querySelector("a[href]") || next;
  link.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function open(e) {
  const row = current();
  if (!row || e.target.closest("a,button,summary")) return false;
  return follow("a[href]", row);
}

// Only the row that is visibly marked is acted on.
function tap(what) {
  const row = current() || document.querySelector("[data-row-alone]");
  const target = row && row.querySelector(`[data-key="${what}"]`);
  if (!target) return false;
  target.focus();
  target.click();
  return true;
}

function follow(selector, root = document) {
  const link = root.querySelector(selector);
  if (!link) return false;
  link.click();
  return true;
}

function search() {
  const field = document.getElementById("ops-search");
  if (!field || !field.getClientRects().length) return follow("[data-go=search]");
  field.focus();
  field.select();
  return true;
}

function help() {
  const box = document.getElementById("ops-help");
  if (!box) return false;
  box.showModal();
  return true;
}
