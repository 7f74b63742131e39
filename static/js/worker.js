// Where the browser allows it, a service worker keeps the styles, the scripts and one page for when the line is down.
if (isSecureContext && navigator.serviceWorker) navigator.serviceWorker.register(`/sw.js?lang=${document.documentElement.lang}`).catch(() => {});
