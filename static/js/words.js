// What does the page say in the reader's language? The template prints the sentences; scripts only fill in numbers.
const source = document.getElementById("ops-words");

export function word(key, values = {}) {
  const text = (source && source.dataset[key]) || key;
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
}
