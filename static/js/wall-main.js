// What runs on a wall? Live parts, countdowns, map and the wall's own care; nothing that takes input.
import * as countdown from "./countdown.js";
import * as live from "./live.js";
import "./map.js";
import "./wall.js";
import "./worker.js";

for (const part of [live, countdown]) {
  try { part.start(); } catch (error) { console.error(error); }
}
document.documentElement.dataset.booted = "1";
