// What time is it on the server? The PC's clock is never asked: offsets stand on performance.now().
const samples = [];
let offset = null;

export function note(iso, at = performance.now()) {
  const server = Date.parse(iso);
  if (Number.isNaN(server)) return;
  samples.push(server - at);
  if (samples.length > 5) samples.shift();
  const sorted = [...samples].sort((a, b) => a - b);
  offset = sorted[sorted.length >> 1];
}

// After sleep performance.now() may have stood still: what was learned before is void.
export function forget() {
  samples.length = 0;
}

export function now() {
  return offset === null ? Date.now() : performance.now() + offset;
}

export function start() {
  const printed = document.body.dataset.now;
  const entry = performance.getEntriesByType("navigation")[0];
  if (printed) note(printed, entry ? entry.responseStart : 0);
  samples.length = 0; // the first heartbeat is better than the printed time
}
