// Texts of the pages with values in them.

// "{count} of {total}" with what the values say. What they don't say stays.
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => (Object.hasOwn(values, name) ? values[name] : placeholder));
}

// How long that was: 7 s is "0:07".
export function elapsed(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
