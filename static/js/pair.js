// Was the code entered? Asked every three seconds; a server that does not answer is asked again, the page stays.
async function ask() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (answer.redirected) return location.reload();
    const page = document.createElement("template");
    page.innerHTML = answer.ok ? await answer.text() : "";
    const next = page.content.querySelector("#main");
    if (next) document.getElementById("main").replaceChildren(...next.childNodes);
  } catch { /* no line now */ }
  setTimeout(ask, 3000);
}
setTimeout(ask, 3000);
