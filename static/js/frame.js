// What does the frame around the page say: how old the screen is, that the session ended, that a new build is there?
import { word } from "./words.js";

export function start() {
  document.addEventListener("live:state", state);
  document.addEventListener("live:signed-out", signedOut);
  document.addEventListener("live:late", (e) => document.getElementById("ops-late")?.toggleAttribute("hidden", !e.detail));
  document.addEventListener("live:build", () => document.getElementById("ops-build")?.toggleAttribute("hidden", false));
  document.querySelector(".ops-errors")?.focus();
  document.addEventListener("click", (e) => {
    for (const menu of document.querySelectorAll("details.ops-menu[open]")) if (!menu.contains(e.target)) menu.open = false;
    const close = e.target.closest("[data-close]");
    if (close) close.closest("dialog,.ops-toast").matches("dialog") ? close.closest("dialog").close() : (close.closest(".ops-toast").hidden = true);
    if (e.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    const menu = document.querySelector("details.ops-menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.querySelectorAll("[data-count]").forEach(counter);
}

function state(e) {
  const { age, state } = e.detail;
  const seconds = Math.round(age / 1000);
  const chip = document.getElementById("ops-age");
  const stale = state === "stale";
  if (chip) {
    chip.hidden = state === "none";
    chip.dataset.state = state;
    chip.querySelector("[data-text]").textContent = word(`age${state[0].toUpperCase()}${state.slice(1)}`, { n: seconds });
  }
  const bar = document.getElementById("ops-stale");
  if (!bar) return;
  const said = bar.hidden;
  bar.hidden = !stale;
  if (stale) bar.querySelector("[data-text]").textContent = word("stale", { n: seconds });
  if (stale && said) document.getElementById("ops-say").textContent = word("sayStale");
}

function signedOut(e) {
  const box = document.getElementById("ops-signed-out");
  if (box && e.detail) box.querySelector("a[href]").setAttribute("href", e.detail);
  if (box && !box.open && box.showModal) box.showModal();
}

// Characters left: a Chinese headline has 22, a Latin one 40.
function counter(field) {
  const line = document.getElementById(field.dataset.count);
  if (!line) return;
  const show = () => {
    const used = [...field.value].length;
    const most = Number(field.dataset.most);
    line.textContent = `${used}/${most}`;
    line.toggleAttribute("data-over", used > most);
  };
  field.addEventListener("input", show);
  show();
}
