// How is a person who looks away from the desk told? Title count, one tone, a notification; one desk of several leads.
import { word } from "./words.js";

const title = document.title;
let audio = null;
let leader = false;
let channel = null;
let last = 0;

function start() {
  const strip = document.getElementById("ops-alerts");
  if (strip) {
    const on = localStorage.getItem("ops-alerts") === "on";
    strip.hidden = on && (!("Notification" in window) || Notification.permission !== "default");
    const button = strip.querySelector("button");
    if (button) button.addEventListener("click", () => turnOn(strip));
    if (on) addEventListener("pointerdown", unlock, { once: true });
  }
  lead();
  count();
  document.addEventListener("ops:swapped", () => count(true));
}

async function turnOn(strip) {
  unlock();
  tone();
  if ("Notification" in window && Notification.permission === "default") {
    try { await Notification.requestPermission(); } catch { /* plain http: sound and title remain */ }
  }
  localStorage.setItem("ops-alerts", "on");
  strip.hidden = true;
}

function unlock() {
  const Audio = window.AudioContext || window.webkitAudioContext;
  if (Audio && !audio) audio = new Audio();
  if (audio && audio.state === "suspended") audio.resume();
}

function tone() {
  if (!audio || performance.now() - last < 4000) return;
  last = performance.now();
  [0, 0.22].forEach((wait, i) => {
    const voice = audio.createOscillator();
    const gain = audio.createGain();
    voice.frequency.value = i ? 660 : 880;
    gain.gain.setValueAtTime(0.12, audio.currentTime + wait);
    gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + wait + 0.2);
    voice.connect(gain).connect(audio.destination);
    voice.start(audio.currentTime + wait);
    voice.stop(audio.currentTime + wait + 0.2);
  });
}

// The tab that said hello first leads; the others are quiet.
function lead() {
  if (!("BroadcastChannel" in window)) { leader = true; return; }
  const me = Math.random();
  let older = false;
  channel = new BroadcastChannel("ops-alerts");
  channel.onmessage = (e) => {
    if (e.data.ask && leader) channel.postMessage({ here: me });
    if (e.data.here && e.data.here !== me) older = true;
    if (e.data.left) setTimeout(claim, Math.random() * 400);
  };
  const claim = () => { older = false; channel.postMessage({ ask: me }); setTimeout(() => { if (!older) leader = true; }, 300); };
  claim();
  addEventListener("pagehide", () => { if (leader) channel.postMessage({ left: me }); leader = false; });
}

let known = null;

// `data-needs` on any part: keys of what needs this department now.
function count(tell) {
  const part = document.querySelector("[data-needs]");
  if (!part) return;
  const now = part.dataset.needs.split(" ").filter(Boolean);
  document.title = now.length ? `(${now.length}) ${title.replace(/^\(\d+\) /, "")}` : title.replace(/^\(\d+\) /, "");
  if (navigator.setAppBadge) navigator.setAppBadge(now.length).catch(() => {});
  const fresh = known && now.filter((k) => !known.has(k));
  known = new Set(now);
  if (!tell || !fresh || !fresh.length || !leader) return;
  if (localStorage.getItem("ops-alerts") !== "on") return;
  tone();
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    const note = new Notification(word("newNeeds", { n: fresh.length }), { tag: "ops", lang: document.documentElement.lang });
    note.onclick = () => { window.focus(); note.close(); };
  }
}

start();
