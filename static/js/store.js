// What is kept on this device: drafts and acts not yet sent, in IndexedDB, per person.
let opened = null;

function open() {
  opened ||= new Promise((done, fail) => {
    const request = indexedDB.open("muster", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("drafts", { keyPath: "key" });
      request.result.createObjectStore("outbox", { keyPath: "key" });
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  return opened;
}

async function run(table, mode, use) {
  const db = await open();
  return new Promise((done, fail) => {
    const unit = db.transaction(table, mode);
    const request = use(unit.objectStore(table));
    unit.oncomplete = () => done(request && request.result);
    unit.onerror = unit.onabort = () => fail(unit.error);
  });
}

export const get = (table, key) => run(table, "readonly", (t) => t.get(key));
export const all = (table) => run(table, "readonly", (t) => t.getAll());
export const put = (table, row) => run(table, "readwrite", (t) => t.put(row));
export const remove = (table, key) => run(table, "readwrite", (t) => t.delete(key));
export const wipe = async () => { for (const t of ["drafts", "outbox"]) await run(t, "readwrite", (x) => x.clear()); };

// The fields of a form as rows that IndexedDB can keep, files with their bytes.
export async function rows(form) {
  const kept = [];
  for (const [name, value] of new FormData(form)) {
    if (name === "csrfmiddlewaretoken") continue;
    if (value instanceof File) {
      if (value.size) kept.push([name, { name: value.name, type: value.type, blob: new Blob([await value.arrayBuffer()], { type: value.type }) }]);
    } else kept.push([name, value]);
  }
  return kept;
}
