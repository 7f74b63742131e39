// What runs on every page? Each part is on its own: one that fails takes no other with it.
import * as acts from "./acts.js";
import * as countdown from "./countdown.js";
import * as drafts from "./drafts.js";
import * as frame from "./frame.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as theme from "./theme.js";
import "./worker.js";

for (const part of [frame, live, countdown, drafts, acts, keys, theme]) {
  try { part.start(); } catch (error) { console.error(error); }
}
document.documentElement.dataset.booted = "1";
