// Is what the screen shows still true? Pointers over a socket, gaps and silence noticed, polling where sockets fail.
// What the messages hold is said in coordination/live/frames.py.
import * as clock from "./clock.js";
import * as regions from "./regions.js";

const SILENT = 8000;
const SILENT_POLLING = 25000;
const OPENING = 5000;
const SOCKET_AGAIN = 120000;

const cursors = new Map(); // stream -> [epoch, seq]
let socket = null;
let opening = 0;
let failures = 0; // opens in a row that never became ready
let retry = 0;
let polling = 0;
let polls = 0; // that succeeded in a row
let heard = performance.now();
let wall = Date.now();
let since = null; // the request under way
let build = "";
let over = false; // signed out
let hollow = false; // the line went silent without a word: what else the browser keeps open may be dead too

const body = document.body;
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

export function start() {
  build = body.dataset.build || "";
  readCursors(document);
  clock.start();
  regions.watch(signedOut);
  document.addEventListener("ops:swapped", (e) => readCursors(e.target));
  if (body.dataset.liveUrl && cursors.size) connect();
  addEventListener("online", check);
  addEventListener("pagehide", () => regions.veil());
  addEventListener("pageshow", (e) => { if (e.persisted) { regions.dirty(null); check(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); });
  setInterval(tick, 1000);
  tick();
}

// Cursors are printed as {"stream": [epoch, seq]}; one that is known already stays.
function readCursors(root) {
  let more = false;
  const holders = [...root.querySelectorAll("[data-cursor]")];
  if (root.dataset && root.dataset.cursor) holders.push(root);
  for (const el of holders) {
    for (const [stream, at] of Object.entries(JSON.parse(el.dataset.cursor || "{}"))) {
      if (!cursors.has(stream)) { cursors.set(stream, at); more = true; }
    }
  }
  if (more && socket && socket.readyState === 1) hello(socket);
}

const hello = (to) => to.send(JSON.stringify({ kind: "hello", streams: Object.fromEntries(cursors) }));

function connect() {
  clearTimeout(retry);
  retry = 0;
  if (over || socket) return;
  const url = new URL(body.dataset.liveUrl, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  let mine;
  try { mine = socket = new WebSocket(url); } catch { return closed(0); }
  opening = setTimeout(() => { if (socket === mine) { hollow = true; detach(); closed(0); } }, OPENING);
  mine.onopen = () => hello(mine);
  mine.onmessage = (e) => { if (socket === mine) take(JSON.parse(e.data)); };
  mine.onclose = (e) => { if (socket === mine) { detach(); closed(e.code); } };
}

// A half-open socket raises no event: it is let go, not waited for.
function detach() {
  clearTimeout(opening);
  const old = socket;
  socket = null;
  if (!old) return;
  old.onopen = old.onmessage = old.onclose = old.onerror = null;
  try { old.close(); } catch { /* closing already */ }
}

function closed(code) {
  if (code === 4401) return signedOut();
  failures += 1;
  if (failures >= 3 && !polling) { polls = 0; poll(0); }
  const most = failures > 3 ? 15000 : 4000;
  const wait = polling && polls ? SOCKET_AGAIN : 500 + Math.random() * (most - 500);
  clearTimeout(retry);
  retry = setTimeout(connect, wait);
}

function signedOut() {
  over = true;
  detach();
  clearTimeout(polling);
  say("live:signed-out");
}

function take(message) {
  heard = performance.now();
  if (message.now) clock.note(message.now);
  if (message.build) newBuild(message.build);
  ({ ready, ev, hb, reset })[message.kind]?.(message);
}

function ready(message) {
  clearTimeout(opening);
  failures = 0;
  clearTimeout(polling);
  polling = 0;
  if (hollow) freshen();
  for (const stream of message.refused || []) {
    cursors.delete(stream);
    regions.dirty(stream); // the part itself says whether it may still be seen
  }
}

// A browser keeps six connections a host and tries the dead ones first: as many questions at once find them all, and
// giving a question up closes its connection. Then every part is read again over new ones.
async function freshen() {
  hollow = false;
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(), 1500);
  await Promise.allSettled(Array.from({ length: 6 }, () => fetch("/health/live", { cache: "no-store", signal: stop.signal })));
  clearTimeout(limit);
  regions.again();
}

function ev(e) {
  const at = cursors.get(e.stream);
  if (!at || (e.seq <= at[1] && (e.epoch === undefined || e.epoch === at[0]))) return;
  if (e.epoch !== undefined && e.epoch !== at[0]) return void fetchSince();
  if (e.seq > at[1] + 1) return void fetchSince();
  advance(e);
}

function advance(e) {
  cursors.set(e.stream, [cursors.get(e.stream)[0], e.seq]);
  regions.dirty(e.stream, e.spread);
  say("live:event", e);
}

function hb(message) {
  say("live:late", Boolean(message.late));
  for (const [stream, [epoch, seq]] of Object.entries(message.heads || {})) {
    const at = cursors.get(stream);
    if (at && (epoch !== at[0] || seq > at[1])) return void fetchSince();
  }
}

function reset(message) {
  if (message.why === "gone") {
    cursors.delete(message.stream);
    regions.empty(message.stream);
  } else if (cursors.has(message.stream)) {
    cursors.set(message.stream, [message.epoch, message.seq]);
    regions.dirty(message.stream, message.spread);
  }
}

function fetchSince() {
  if (!since) since = readSince().finally(() => { since = null; });
  return since;
}

async function readSince() {
  if (!body.dataset.sinceUrl || !cursors.size) return false;
  const after = [...cursors].map(([stream, [epoch, seq]]) => `${stream}=${epoch}.${seq}`).join(",");
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(), OPENING);
  try {
    const answer = await fetch(`${body.dataset.sinceUrl}?after=${encodeURIComponent(after)}`, { credentials: "same-origin", cache: "no-store", signal: stop.signal });
    if (answer.status === 401) { signedOut(); return false; }
    if (!answer.ok) return false;
    const data = await answer.json();
    heard = performance.now();
    if (data.now) clock.note(data.now);
    if (data.build) newBuild(data.build);
    for (const message of data.resets || []) reset(message);
    for (const e of data.events || []) {
      const at = cursors.get(e.stream);
      if (at && e.seq > at[1]) advance(e);
    }
    for (const [stream, head] of Object.entries(data.heads || {})) if (cursors.has(stream)) cursors.set(stream, head);
    return true;
  } catch { return false; } finally { clearTimeout(limit); }
}

async function poll(wait) {
  clearTimeout(polling);
  polling = setTimeout(async () => {
    const done = await fetchSince();
    if (over || !polling) return;
    if (done && !polls) { // the server is back: so may be its socket
      clearTimeout(retry);
      retry = setTimeout(connect, Math.random() * 1000);
    }
    polls = done ? polls + 1 : 0;
    poll(polls > 1 ? 8000 + Math.random() * 4000 : 1500 + Math.random() * 2000);
  }, wait);
}

// At once on return, wake or network: is the line still alive, and what was missed?
function check() {
  if (over || !cursors.size) return;
  fetchSince().then((done) => { if (done && !socket) { failures = 0; connect(); } });
  if (socket && performance.now() - heard > SILENT) { hollow = true; detach(); closed(0); }
}

function newBuild(found) {
  if (build && found !== build) say("live:build", found);
  build = build || found;
}

function tick() {
  const slept = Date.now() - wall > 11000;
  wall = Date.now();
  if (slept) { clock.forget(); check(); }
  const now = performance.now();
  if (socket && socket.readyState && now - heard > SILENT) { hollow = true; detach(); closed(0); }
  regions.tick();
  const dirty = regions.dirtySince();
  const right = dirty === null ? heard : Math.min(heard, dirty);
  const age = now - right;
  const limit = polling && polls > 1 && dirty === null ? SILENT_POLLING : SILENT;
  say("live:state", { age, state: !cursors.size ? "none" : age > limit ? "stale" : polling && polls ? "polling" : socket ? "live" : "connecting" });
}
