// Which parts of the page are out of date, and how are they put right without taking anything from the reader's hand?
import { word } from "./words.js";

const regions = new Map(); // element id -> state
const groups = new Map(); // address of parts read together -> {key, turn, …}
const PART = /(\/parts?\/)([\w-]+)/; // …/part/head and …/part/acts are read as …/part/head,acts
let pointerFree = 0; // no swap before
let pointerDown = false;
let moved = -1e9; // last movement or key
let onSignedOut = () => {};

export function watch(signedOut) {
  onSignedOut = signedOut;
  collect();
  for (const name of ["pointermove", "keydown"]) addEventListener(name, () => { moved = performance.now(); }, true);
  addEventListener("pointerdown", () => { pointerDown = true; }, true);
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, () => { pointerDown = false; pointerFree = performance.now() + 500; }, true);
  }
}

export function collect(root = document) {
  for (const el of root.querySelectorAll("[data-live][data-part][id]")) {
    if (!regions.has(el.id)) {
      regions.set(el.id, { id: el.id, dirty: 0, fresh: null, changed: 0, read: performance.now() });
    }
    el.dataset.mounted = "1";
  }
}

const streamsOf = (el) => (el.dataset.live || "").split(/[\s,]+/).filter(Boolean);

// null dirties all; the screens of a stream share `spread` ms to read.
export function dirty(stream, spread) {
  for (const region of regions.values()) {
    const el = document.getElementById(region.id);
    if (!el) regions.delete(region.id);
    else if (stream === null || streamsOf(el).includes(stream)) soil(region, spread);
  }
}

// After an act a list keeps its rows four seconds, so that the receipt is read.
export function acted(el) {
  const list = el && el.closest("[data-live][data-list]");
  const region = list && regions.get(list.id);
  if (region) region.held = performance.now() + 4000;
  for (const one of regions.values()) soil(one, 0);
}

export function empty(stream) {
  for (const region of regions.values()) {
    const el = document.getElementById(region.id);
    if (el && streamsOf(el).includes(stream)) blank(region, el);
  }
}

// What hangs on a grant is not kept for the way back through the browser's pages: it is read again.
export function veil() {
  for (const el of document.querySelectorAll("[data-live*='dataset:']")) el.textContent = "";
}

function blank(region, el) {
  el.textContent = word("gone");
  document.getElementById("ops-say")?.append(word("gone"));
  el.classList.add("ops-empty");
  delete el.dataset.part;
  regions.delete(region.id);
}

function soil(region, spread = 200) {
  region.changed += 1;
  region.dirty ||= performance.now();
  plan(region, spread);
}

const keyOf = (el) => el.dataset.part.replace(PART, "$1*");

// A group keeps its turn until it reads: a second pointer to one commit does not move it forward.
function plan(region, spread) {
  const el = document.getElementById(region.id);
  if (!el || !el.dataset.part) return void regions.delete(region.id);
  const key = keyOf(el);
  const group = groups.get(key) || { key, turn: Math.random(), most: 0 };
  groups.set(key, group);
  group.spread = spread ?? Math.max(1000, group.most);
  group.most = Math.max(group.most, group.spread);
  later(group);
}

function later(group) {
  const wait = group.spread && 100 + group.turn * group.spread;
  const due = performance.now() + wait;
  if (group.stop || (group.timer && group.due <= due)) return;
  clearTimeout(group.timer);
  group.due = due;
  group.timer = setTimeout(() => refetch(group), wait);
}

// Since when the oldest dirty region has been wrong, or null.
export function dirtySince() {
  const since = [...regions.values()].filter((r) => r.dirty).map((r) => r.dirty);
  return since.length ? Math.min(...since) : null;
}

// A read over a line that is gone is begun anew.
export function again() {
  for (const group of groups.values()) if (group.stop) group.stop.abort();
  for (const region of regions.values()) if (region.dirty) plan(region, 0);
}

export function tick() {
  for (const region of regions.values()) {
    if (region.fresh) settle(region);
    const el = document.getElementById(region.id); // no stream tells of it
    if (el && el.dataset.every && !region.dirty && performance.now() - region.read > el.dataset.every * 1000 && !document.hidden) soil(region, 0);
    if (region.dirty) plan(region);
  }
}

async function refetch(group) {
  group.timer = 0;
  group.turn = Math.random();
  const asked = [];
  for (const region of regions.values()) {
    const el = region.dirty && document.getElementById(region.id);
    if (!el || !el.dataset.part || keyOf(el) !== group.key) continue;
    region.read = performance.now();
    asked.push({ region, el, began: region.changed, name: PART.exec(el.dataset.part)?.[2] });
  }
  if (!asked.length) return;
  const url = group.key.replace("*", asked.map((one) => one.name));
  const stop = group.stop = new AbortController();
  const limit = setTimeout(() => stop.abort(), 6000);
  let late; // a pointer came meanwhile
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true", "X-Part": "1" }, credentials: "same-origin", signal: stop.signal });
    if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname !== new URL(url, location.href).pathname)) onSignedOut();
    else if ([403, 404].includes(answer.status)) for (const { region, el } of asked) blank(region, el);
    else if (answer.ok) {
      const html = await answer.text();
      group.most = 0;
      const parts = asked.length > 1 ? [...parse(html).children].map((one) => one.innerHTML) : [html];
      asked.forEach(({ region, began }, i) => {
        region.fresh = parts[i];
        if (region.changed === began) region.dirty = 0;
        else late = region.dirty = region.read;
        settle(region);
      });
    }
  } catch { /* tick() tries again */ } finally {
    clearTimeout(limit);
    group.stop = null;
    if (late || stop.signal.aborted) later(group);
  }
}

function settle(region) {
  const el = document.getElementById(region.id);
  if (!el) return;
  if (pointerDown || performance.now() < Math.max(pointerFree, region.held || 0) || el.querySelector("[aria-busy=true]")) return;
  const html = region.fresh;
  const idle = performance.now() - moved;
  const inUse = (idle < 10000 && el.contains(document.activeElement)) || (idle < 3000 && el.matches(":hover"));
  if ("careful" in el.dataset && touched(el)) return announce(region, el, word("changed"));
  if ("list" in el.dataset && inUse) {
    const waiting = updateRows(el, html);
    if (waiting) return announce(region, el, word("waiting", { n: waiting }));
    region.fresh = null;
    return finish(el);
  }
  region.fresh = null;
  swap(el, html);
}

// An open form or a changed field is never taken away, even behind another window.
function touched(el) {
  if (el.contains(document.activeElement.closest("input,select,textarea"))) return true;
  if (el.querySelector("details.ops-act-box[open] form")) return true;
  return [...el.querySelectorAll("input:not([type=hidden]),select,textarea")].some((f) =>
    f.type === "checkbox" || f.type === "radio" ? f.checked !== f.defaultChecked
      : f.tagName === "SELECT" ? [...f.options].some((o, i) => (i || f.multiple) && o.selected !== o.defaultSelected)
      : f.value !== f.defaultValue);
}

function announce(region, el, text) {
  let bar = el.querySelector(":scope > .ops-waiting");
  if (!bar) {
    bar = document.createElement("button");
    bar.type = "button";
    bar.className = "btn btn-quiet ops-waiting";
    bar.addEventListener("click", () => { const html = region.fresh; region.fresh = null; if (html !== null) swap(el, html); });
    el.prepend(bar);
  }
  if (bar.textContent !== text) bar.textContent = text;
}

// Rows keep their place; answers how many came or went.
function updateRows(el, html) {
  const next = parse(html);
  const rows = new Map([...next.querySelectorAll("[data-row]")].map((r) => [r.dataset.row, r]));
  let waiting = 0;
  for (const old of el.querySelectorAll("[data-row]")) {
    const fresh = rows.get(old.dataset.row);
    rows.delete(old.dataset.row);
    if (!fresh) {
      waiting += 1;
      old.inert = true;
      old.classList.add("ops-muted");
    } else if (old.outerHTML !== fresh.outerHTML && old.dataset.version !== fresh.dataset.version) {
      keepFocus(old, () => old.replaceWith(fresh));
    }
  }
  return waiting + rows.size;
}

function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}

const FOCUSABLE = "a[href],button,summary,input,select,textarea,[tabindex]";

// Focus goes back to the same row's same control; open details stay open.
function keepFocus(el, change) {
  const active = document.activeElement;
  const inside = active && el.contains(active);
  const row = inside && active.closest("[data-row]");
  const index = inside ? [...(row || el).querySelectorAll(FOCUSABLE)].indexOf(active) : -1;
  const open = [...el.querySelectorAll("details[open][id]")].map((d) => d.id);
  change();
  for (const id of open) { const d = document.getElementById(id); if (d) d.open = true; }
  if (!inside) return;
  const again = (active.id && document.getElementById(active.id))
    || [...(row ? document.querySelectorAll(`[data-row="${CSS.escape(row.dataset.row)}"]`) : [el])]
      .map((r) => r.querySelectorAll(FOCUSABLE)[index]).find(Boolean);
  if (again) again.focus({ preventScroll: true });
}

// The marked row stays marked; where it went, the one now in its place is.
function keepMark(el, change) {
  const rows = [...el.querySelectorAll("[data-row]")];
  const at = rows.findIndex((r) => "current" in r.dataset);
  const name = at < 0 ? "" : rows[at].dataset.row;
  const lost = at >= 0 && (document.activeElement === document.body || rows[at].contains(document.activeElement));
  change();
  if (at < 0) return;
  const next = [...el.querySelectorAll("[data-row]")];
  const row = next.find((r) => r.dataset.row === name) || next[Math.min(at, next.length - 1)];
  if (row) row.dataset.current = "";
  if (lost) ((row && row.querySelector(FOCUSABLE)) || document.getElementById("main")).focus({ preventScroll: true });
}

function swap(el, html) {
  const content = parse(html);
  const same = content.querySelector(`#${CSS.escape(el.id)}`);
  const parts = same ? [...same.childNodes] : [...content.childNodes];
  if (same) for (const name of ["data-live", "data-part"]) if (same.hasAttribute(name)) el.setAttribute(name, same.getAttribute(name));
  keepFocus(el, () => keepMark(el, () => el.replaceChildren(...parts)));
  finish(el);
}

function finish(el) {
  if (window.htmx) window.htmx.process(el);
  collect(el);
  el.dispatchEvent(new CustomEvent("ops:swapped", { bubbles: true }));
}
