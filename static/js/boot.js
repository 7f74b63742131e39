/* Did the page's scripts start? No module: it must outlive a failed one. A wall reloads, a desk says so. */
(function () {
  "use strict";
  var waits = [0, 5, 15, 45, 135, 300];
  function mounted() {
    if (document.documentElement.getAttribute("data-booted") !== "1") return "scripts";
    var missing = document.querySelector("[data-live][data-part]:not([data-mounted])");
    return missing ? missing.id || "panel" : "";
  }
  function store(value) {
    try { if (value === null) sessionStorage.removeItem("ops-boot"); else sessionStorage.setItem("ops-boot", value); } catch (e) { /* private mode */ }
  }
  function check() {
    var why = mounted();
    if (!why) { store(null); return; }
    var note = document.getElementById("ops-boot");
    if (note) note.hidden = false;
    if (!document.body.hasAttribute("data-wall")) return;
    var tries = 0;
    try { tries = Number(sessionStorage.getItem("ops-boot") || 0); } catch (e) { tries = 5; }
    var wait = waits[Math.min(tries, waits.length - 1)];
    if (note) note.textContent = (note.getAttribute("data-why") || "") + " " + why + " · " + wait + " s";
    store(String(tries + 1));
    setTimeout(function () { location.reload(); }, wait * 1000);
  }
  setTimeout(check, 20000);
})();
