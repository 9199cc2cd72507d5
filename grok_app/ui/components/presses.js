// What a key or a click is meant for, where the browser's event alone doesn't say it.

// Whether the key belongs to an input method; Safari tells it by the code alone.
export function isComposing({ nativeEvent, keyCode }) {
  return nativeEvent.isComposing || keyCode === 229;
}

// An act at a click, but not at the second one of a double click: that was meant for the button in whose place this
// one has come.
export function atFirstClick(act) {
  return (event) => event.detail < 2 && act();
}
