// How does a wall look after itself? Size from distance, rows from height, its clock, its sounds, its own recovery.
import * as clock from "./clock.js";
import { clockText } from "./countdown.js";

const body = document.body;
const root = document.documentElement;
const QUIET = 60000; // a new build is loaded after a minute in which nothing happened
let lastEvent = performance.now();
let newBuild = false;
let critical = null;
let lost = false;
let soundAt = -1e9;
let audio = null;

export function start() {
  size();
  addEventListener("resize", () => { size(); fit(); });
  document.addEventListener("ops:swapped", () => { fit(); notice(); });
  document.addEventListener("live:event", () => { lastEvent = performance.now(); });
  document.addEventListener("live:build", () => { newBuild = true; });
  document.addEventListener("live:state", (e) => age(e.detail));
  document.addEventListener("live:signed-out", () => setTimeout(() => location.reload(), 3000));
  document.getElementById("wall-sound")?.addEventListener("click", unlock);
  setInterval(tick, 1000);
  setInterval(shift, 180000);
  tick();
  fit();
  notice();
  reloadDaily();
}

// px = distance × tan(arc) × pixels across / screen width / share of the letter's box: 16 arc minutes for anything, 22 for what one acts on.
function size() {
  const distance = Number(body.dataset.distance || 5);
  const width = Number(body.dataset.width || 2.4);
  const latin = root.lang.startsWith("zh") ? 1 / 0.92 : 1 / 0.72;
  const px = (arc) => distance * Math.tan((arc / 60) * (Math.PI / 180)) * (innerWidth / width) * latin;
  const most = innerWidth / 40;
  root.style.setProperty("--wall-px", `${Math.max(12, Math.min(px(16), most * 0.75)).toFixed(1)}px`);
  root.style.setProperty("--wall-act", `${Math.max(15, Math.min(px(22), most)).toFixed(1)}px`);
}

// One screen, no scroll: rows that do not fit are counted, never cut.
function fit() {
  for (const list of document.querySelectorAll(".wall-rows")) {
    const rows = [...list.children];
    rows.forEach((row) => { row.hidden = false; });
    const more = list.parentElement.querySelector(".wall-more");
    if (more) more.hidden = true;
    const over = () => rows.filter((row) => !row.hidden).some((row) => row.offsetTop + row.offsetHeight > list.offsetTop + list.clientHeight + 1);
    if (!over() && !Number(list.dataset.more || 0)) continue;
    if (more) more.hidden = false;
    let hidden = 0;
    for (let i = rows.length - 1; i > 0 && over(); i -= 1) { rows[i].hidden = true; hidden += 1; }
    if (more) more.querySelector("[data-n]").textContent = `+${hidden + Number(list.dataset.more || 0)}`;
    if (more && !hidden && !Number(list.dataset.more || 0)) more.hidden = true;
  }
}

function tick() {
  const now = new Date(clock.now());
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(now);
  const face = document.getElementById("wall-time");
  if (face) face.textContent = parts;
  const date = document.getElementById("wall-date");
  if (date) date.textContent = new Intl.DateTimeFormat(root.lang.startsWith("zh") ? "zh-CN" : "en-GB", { timeZone: "Asia/Shanghai", day: "numeric", month: root.lang.startsWith("zh") ? "long" : "short", weekday: "short" }).format(now);
  if (newBuild && performance.now() - lastEvent > QUIET) location.reload();
}

function age({ age: ms, state }) {
  const seconds = Math.round(ms / 1000);
  const label = document.getElementById("wall-age");
  const bar = document.getElementById("wall-stale");
  const stale = state === "stale";
  if (label) {
    label.dataset.state = state;
    label.textContent = (stale ? label.dataset.lost : label.dataset.live).replace("{s}", clockText(seconds));
  }
  if (bar) {
    bar.hidden = !stale;
    if (stale) bar.querySelector("[data-text]").textContent = bar.dataset.words.replace("{s}", seconds < 600 ? `${seconds} s` : clockText(seconds));
  }
  body.toggleAttribute("data-stale", stale);
  if (stale && !lost) tone(220, 0.5);
  lost = stale;
  fit();
}

// One tone for a new critical row, at most one a minute.
function notice() {
  const now = new Set([...document.querySelectorAll("[data-critical]")].map((el) => el.dataset.critical));
  if (critical !== null && [...now].some((key) => !critical.has(key))) tone(880, 0.25);
  critical = now;
}

function unlock() {
  audio = new AudioContext();
  audio.resume().then(() => { document.getElementById("wall-sound").hidden = true; });
}

function tone(hertz, seconds) {
  if (performance.now() - soundAt < 60000) return;
  try { audio = audio || new AudioContext(); } catch { return; }
  const button = document.getElementById("wall-sound");
  if (audio.state !== "running") { if (button) button.hidden = false; return; }
  soundAt = performance.now();
  const hour = new Date(clock.now()).getHours();
  const gain = audio.createGain();
  gain.gain.value = hour >= 22 || hour < 7 ? 0.05 : 0.2;
  const wave = audio.createOscillator();
  wave.frequency.value = hertz;
  wave.connect(gain).connect(audio.destination);
  wave.start();
  wave.stop(audio.currentTime + seconds);
}

// Against burn-in: two pixels to and fro every three minutes.
function shift() {
  const frame = document.querySelector(".wall-frame");
  const spot = () => Math.round(Math.random() * 4 - 2);
  if (frame) frame.style.transform = `translate(${spot()}px, ${spot()}px)`;
}

// Once a day, in the small hours, so that no browser runs for weeks.
function reloadDaily() {
  const next = new Date(clock.now());
  next.setHours(4, 0, Math.floor(Math.random() * 600), 0);
  if (next.getTime() <= clock.now()) next.setDate(next.getDate() + 1);
  setTimeout(() => location.reload(), next.getTime() - clock.now());
}

start();
