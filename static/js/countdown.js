// How long is left, by the server's clock? Each second under ten minutes, each minute above; spoken at 10 min and at 0.
import * as clock from "./clock.js";
import { word } from "./words.js";

const spoken = new Map();
const two = (n) => String(n).padStart(2, "0");

export function clockText(seconds) {
  const s = Math.floor(Math.abs(seconds));
  if (s >= 86400) return word("days", { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
  if (s >= 3600) return word("hours", { h: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60) });
  return s < 600 ? `${two(Math.floor(s / 60))}:${two(s % 60)}` : word("minutes", { m: Math.floor(s / 60) });
}

function show(el) {
  const due = Date.parse(el.dataset.due);
  const left = (due - clock.now()) / 1000;
  const state = left < 0 ? "act" : left < Number(el.dataset.soon || 600) ? "soon" : "line";
  const text = left < 0 ? word("overdue", { t: clockText(left) }) : word("left", { t: clockText(left) });
  const label = el.querySelector("[data-text]") || el;
  if (label.textContent !== text) label.textContent = text;
  if (el.dataset.state !== state) {
    el.classList.remove("ops-chip-act", "ops-chip-soon", "ops-chip-line");
    el.classList.add(`ops-chip-${state}`);
    for (const mark of el.querySelectorAll("[data-mark]")) mark.toggleAttribute("hidden", mark.dataset.mark !== state);
    const before = el.dataset.state;
    el.dataset.state = state;
    if (el.dataset.say && before && state !== "line") speak(el, state);
  }
}

function speak(el, state) {
  const key = `${el.dataset.say}|${el.dataset.due}|${state}`;
  if (spoken.has(key)) return;
  spoken.set(key, true);
  const region = document.getElementById("ops-say");
  if (region) region.textContent = word(state === "act" ? "sayOverdue" : "saySoon", { what: el.dataset.say });
}

function since(el) {
  const s = (clock.now() - Date.parse(el.dataset.since)) / 1000;
  const text = clockText(Math.max(0, s));
  if (el.textContent !== text) el.textContent = text;
}

export function start() {
  const tick = () => {
    document.querySelectorAll("[data-due]").forEach(show);
    document.querySelectorAll("[data-since]").forEach(since);
  };
  tick();
  setInterval(tick, 1000);
  document.addEventListener("ops:swapped", tick);
}
