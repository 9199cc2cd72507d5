// The field that says what shall be made, over a row of choices and the button that begins or ends it.
import { createElement as h, useEffect, useState } from "react";
import { Play, Square } from "lucide-react";
import { atFirstClick, isComposing } from "./presses.js";

const MOST_CHARS = 16 << 10; // as the public API has it

// What stands in the fields, by page: it is there still when the visitor comes back from another one.
const drafts = new Map();

// `labels` has `prompt`, `placeholder`, `start` and `stop`. Ctrl+Enter or Cmd+Enter hand the prompt to `onStart`,
// also while something runs: whoever can't begin anew then ignores it.
// `page` names its draft. `initial` stands there at first instead; with another `key` the field begins anew.
export function Prompt({ page, labels, initial = "", isRunning, onStart, onStop, children }) {
  const [prompt, setPrompt] = useState(() => initial || (drafts.get(page) ?? ""));
  useEffect(() => void drafts.set(page, prompt), [page, prompt]);
  const canStart = prompt.trim() !== "";
  const start = () => canStart && onStart(prompt.trim());
  const stop = (event) => {
    event.preventDefault(); // the same element is the start button by then, and would submit the form
    atFirstClick(onStop)(event);
  };
  const onKeyDown = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || isComposing(event) || event.repeat) return;
    event.preventDefault();
    start();
  };
  return h(
    "form",
    { className: "prompt", onSubmit: (event) => (event.preventDefault(), start()) },
    h("textarea", {
      id: "prompt",
      rows: 2,
      maxLength: MOST_CHARS,
      value: prompt,
      placeholder: labels.placeholder,
      "aria-label": labels.prompt,
      autoFocus: true,
      onChange: (event) => setPrompt(event.target.value),
      onKeyDown,
    }),
    h(
      "div",
      { className: "prompt-toolbar" },
      children,
      h("span", { className: "spacer" }),
      isRunning
        ? h(
            "button",
            { type: "button", id: "stop", className: "button", onClick: stop },
            h(Square, { size: 14, fill: "currentColor", "aria-hidden": true }),
            labels.stop,
          )
        : h(
            "button",
            { type: "submit", id: "start", className: "button primary", disabled: !canStart },
            h(Play, { size: 15, fill: "currentColor", "aria-hidden": true }),
            labels.start,
          ),
    ),
  );
}
