// What does this device keep for when the line is down? Styles, scripts and one page: never a page of Muster, never
// its data, because an old list is worse than none.
const about = {{ about|safe }};
const HASHED = /\.[0-9a-f]{12}\.\w+$/; // its name changes with its content, so it never grows old

addEventListener("install", (e) => e.waitUntil(install()));
addEventListener("activate", (e) => e.waitUntil(activate()));
addEventListener("fetch", (e) => {
  const { request } = e;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") e.respondWith(page(e));
  else if (pathname.startsWith(about.static) && (HASHED.test(pathname) || about.files.includes(pathname))) e.respondWith(file(request));
});

async function install() {
  const kept = await caches.open(about.name);
  await kept.addAll([about.page, ...about.files]);
  await skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) if (name !== about.name) await caches.delete(name);
  if (registration.navigationPreload) await registration.navigationPreload.enable();
  await clients.claim();
}

async function page(e) {
  try {
    return (await e.preloadResponse) || (await fetch(e.request));
  } catch {
    return (await caches.match(about.page)) || Response.error();
  }
}

async function file(request) {
  const kept = await caches.open(about.name);
  const found = await kept.match(request);
  if (found && HASHED.test(new URL(request.url).pathname)) return found;
  try {
    const answer = await fetch(request);
    if (answer.ok) await kept.put(request, answer.clone());
    return answer;
  } catch (error) {
    if (found) return found;
    throw error;
  }
}
