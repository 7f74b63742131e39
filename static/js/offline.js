// Is the server back? Asked every five seconds while the page for a lost line stands here; then what was wanted is loaded.
async function ask() {
  try { if ((await fetch("/health/live", { cache: "no-store" })).ok) return location.reload(); } catch { /* not yet */ }
  setTimeout(ask, 4000 + Math.random() * 2000);
}
addEventListener("online", () => location.reload());
setTimeout(ask, 4000);
