// How does a phone's photo get through a thin line? Shrunk to 1600 px before it is sent, shown before it is sent.
const MOST = 1600;

export function start() {
  document.addEventListener("change", (e) => { if (e.target.matches("input[type=file][data-shrink]")) take(e.target); });
}

async function take(field) {
  if (field.dataset.shrinking) return;
  if (window.DataTransfer && window.createImageBitmap) {
    field.dataset.shrinking = "1";
    try {
      const box = new DataTransfer();
      for (const file of field.files) box.items.add(await smaller(file));
      field.files = box.files;
    } finally { delete field.dataset.shrinking; }
  }
  preview(field);
}

async function smaller(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || file.size < 300000) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, MOST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
    return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
  } catch { return file; }
}

function preview(field) {
  const list = document.getElementById(field.dataset.shrink);
  if (!list) return;
  list.replaceChildren(...[...field.files].map((file) => {
    const item = document.createElement("li");
    if (file.type.startsWith("image/")) {
      const img = document.createElement("img");
      img.alt = file.name;
      img.src = URL.createObjectURL(file);
      img.onload = () => URL.revokeObjectURL(img.src);
      item.append(img);
    }
    const text = document.createElement("small");
    text.textContent = ` ${file.name} · ${Math.ceil(file.size / 1024)} kB`;
    item.append(text);
    return item;
  }));
}
