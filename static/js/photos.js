// How does a phone's photo get through a thin line? Shrunk, and sent on its own before the text, with progress and retry.
import { word } from "./words.js";

const MOST = 1600;
const fields = new WeakMap(); // file field -> its photos: {file, row, key, state: waiting | sending | failed | refused | sent}
let line = Promise.resolve(); // one at a time: a thin line carries no two

const fieldsOf = (root) => root.querySelectorAll("input[type=file][data-shrink]");
const photosOf = (field) => fields.get(field) || fields.set(field, []).get(field);

document.addEventListener("change", (e) => { if (e.target.matches("[data-shrink]")) take(e.target); });
// What is on its way when the form is sent goes with the form instead.
document.addEventListener("submit", (e) => fieldsOf(e.target).forEach((field) => photosOf(field).forEach((one) => {
  if (one.stop) one.stop();
  else if (one.state === "waiting") show(field, one, "failed", "");
})), true);
for (const name of ["ops:swapped", "htmx:afterSwap"]) document.addEventListener(name, () => fieldsOf(document).forEach(kept));
addEventListener("online", () => fieldsOf(document).forEach((field) => {
  if (!field.form.querySelector("[data-unsent]")) photosOf(field).forEach((one) => one.state === "failed" && queue(field, one));
}));
fieldsOf(document).forEach(kept);

async function take(field) {
  const photos = photosOf(field);
  const chosen = [...field.files].filter((file) => !photos.some((one) => one.file === file));
  kept(field);
  for (const given of chosen) {
    const one = { file: await smaller(given), key: `photo.${Date.now()}.${Math.random().toString(36).slice(2)}`, state: "waiting" };
    photos.push(one);
    one.row = row(field, one.file.name, () => drop(field, one));
    if (one.file.type.startsWith("image/")) {
      one.row.img.src = URL.createObjectURL(one.file);
      one.row.img.onload = () => URL.revokeObjectURL(one.row.img.src);
    }
    queue(field, one);
  }
  hold(field);
}

async function smaller(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || file.size < 300000) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, MOST / Math.max(picture.width, picture.height));
    const [width, height] = [picture.width, picture.height].map((size) => Math.round(size * scale));
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
    return blob?.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
  } catch { return file; }
}

// The field holds what has not arrived, so that a form sent now, kept here or drafted takes it along.
function hold(field) {
  if (!window.DataTransfer) return;
  const box = new DataTransfer();
  for (const one of photosOf(field)) if (one.state !== "sent" && one.state !== "refused") box.items.add(one.file);
  field.files = box.files;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function queue(field, one) {
  show(field, one, "waiting", "");
  line = line.then(() => field.isConnected && one.state === "waiting" && send(field, one));
}

function send(field, one) {
  return new Promise((done) => {
    const call = new XMLHttpRequest();
    const data = new FormData();
    data.append("file", one.file);
    call.open("POST", "/api/v1/attachments");
    call.setRequestHeader("X-CSRFToken", field.form.elements.csrfmiddlewaretoken.value);
    call.setRequestHeader("Idempotency-Key", one.key);
    call.timeout = 120000;
    call.upload.onprogress = (e) => { one.row.bar.value = e.loaded / e.total; };
    one.stop = () => call.abort();
    call.onloadend = () => {
      one.stop = null;
      let said = {};
      try { said = JSON.parse(call.responseText); } catch { /* no answer */ }
      if (call.status === 201) {
        one.input = Object.assign(document.createElement("input"), { type: "hidden", name: "attachments", value: said.id });
        one.input.dataset.shown = "1";
        field.form.append(one.input);
        show(field, one, "sent", word("photoSent"));
      } else if ([400, 413, 415, 422].includes(call.status)) show(field, one, "refused", said.errors?.[0]?.detail || said.detail);
      else show(field, one, "failed", word("photoFailed"));
      hold(field);
      done();
    };
    show(field, one, "sending", "");
    call.send(data);
  });
}

function drop(field, one) {
  one.stop?.();
  one.input?.remove();
  one.state = "refused";
  one.row.remove();
  hold(field);
}

function show(field, one, state, text) {
  one.state = state;
  one.row.dataset.state = state;
  one.row.bar.hidden = state !== "sending";
  one.row.said.textContent = `${one.file.name} · ${Math.ceil(one.file.size / 1024)} kB${text && ` · ${text}`}`;
  if (state === "failed" && !one.row.again) {
    one.row.again = button(word("photoRetry"), one.file.name, () => queue(field, one));
    one.row.insertBefore(one.row.again, one.row.drop);
  }
  if (one.row.again) one.row.again.hidden = state !== "failed";
}

// What came in before, with a draft or a form that was refused, is shown too.
function kept(field) {
  for (const input of field.form.querySelectorAll("input[type=hidden][name=attachments]:not([data-shown])")) {
    input.dataset.shown = "1";
    const item = row(field, "", () => { input.remove(); item.remove(); });
    item.img.src = `/attachments/${input.value}/picture/`;
    item.said.textContent = word("photoSent");
    item.bar.hidden = true;
  }
}

function row(field, name, gone) {
  const item = document.createElement("li");
  item.img = Object.assign(document.createElement("img"), { alt: "" });
  item.said = document.createElement("small");
  item.said.setAttribute("role", "status");
  item.bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  item.bar.setAttribute("aria-label", name);
  item.drop = button(word("photoRemove"), name, gone);
  item.append(item.img, item.said, item.bar, item.drop);
  document.getElementById(field.dataset.shrink).append(item);
  return item;
}

function button(text, name, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-quiet btn-sm", textContent: text, onclick: act });
  made.setAttribute("aria-label", `${text} ${name}`);
  return made;
}
