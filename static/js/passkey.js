// Lets a security key or passkey answer what the server asked: fills the form's hidden field and sends it.
// A form marked hidden appears only where the browser can do this; without it the other ways stay.
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), one => one.charCodeAt(0));
const words = buffer => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = list => (list || []).map(one => ({ ...one, id: bytes(one.id) }));

function options(asked) {
  const found = { ...asked, challenge: bytes(asked.challenge) };
  if (asked.user) found.user = { ...asked.user, id: bytes(asked.user.id) };
  if (asked.excludeCredentials) found.excludeCredentials = listed(asked.excludeCredentials);
  if (asked.allowCredentials) found.allowCredentials = listed(asked.allowCredentials);
  return { publicKey: found };
}

function answered(credential) {
  const from = credential.response;
  const given = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].filter((name) => from[name]);
  const response = Object.fromEntries(given.map((name) => [name, words(from[name])]));
  if (from.getTransports) response.transports = from.getTransports();
  return JSON.stringify({
    id: credential.id, rawId: words(credential.rawId), type: credential.type, response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

function start(form) {
  const failed = form.querySelector("[data-failed]"), button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async event => {
    if (form.elements.credential.value || form.elements.code?.value || !form.reportValidity()) return;
    event.preventDefault();
    button.disabled = true;
    failed.hidden = true;
    try {
      const found = await navigator.credentials[form.dataset.passkey](options(JSON.parse(form.dataset.asked)));
      form.elements.credential.value = answered(found);
      form.submit();
    } catch (error) {
      failed.hidden = false;
      failed.focus();
    } finally {
      button.disabled = false;
    }
  });
}

if (window.PublicKeyCredential && navigator.credentials) {
  for (const none of document.querySelectorAll("[data-passkey-none]")) none.hidden = true;
  for (const form of document.querySelectorAll("[data-passkey]")) start(form);
}
