// The field to write in. Enter sends, Shift+Enter begins a line, an input method's Enter does neither.
import { createElement as h, memo, useEffect, useRef, useState } from "react";
import { ArrowUp, Square } from "lucide-react";
import { pastedFiles } from "./attached_pictures.js";
import { AttachButton, Attached } from "./chat_pictures.js";
import { atFirstClick, isComposing } from "./presses.js";
import { fill } from "./wording.js";

const MOST_CHARS = 200_000;

// `children` are further controls.
export const Composer = memo(function Composer({ labels, isBusy, pictures, onAttach, onRemove, onSend, onStop, children }) {
  const field = useRef(null);
  const [draft, setDraft] = useState("");
  useEffect(() => fit(field.current), [draft]);
  const isTooLong = draft.length > MOST_CHARS;
  const canSend = !isBusy && !isTooLong && draft.trim() !== "";
  const send = () => {
    if (!canSend) return;
    onSend(draft.trim());
    setDraft("");
  };
  const onKeyDown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event) => {
    const files = pastedFiles(event);
    if (!files.length) return;
    event.preventDefault();
    onAttach(files);
  };
  return h(
    "form",
    { className: "composer", onSubmit: (event) => (event.preventDefault(), send()) },
    h(Attached, { pictures, label: labels.pictures, removeLabel: labels.remove_picture, onRemove }),
    h("textarea", {
      ref: field,
      id: "message",
      rows: 1,
      value: draft,
      placeholder: labels.placeholder,
      "aria-label": labels.placeholder,
      "aria-invalid": isTooLong || undefined,
      "aria-describedby": isTooLong ? "too-long" : undefined,
      autoFocus: true,
      onChange: (event) => setDraft(event.target.value),
      onKeyDown,
      onPaste,
    }),
    isTooLong && h("p", { id: "too-long", role: "alert", className: "too-long" }, fill(labels.too_long, { limit: MOST_CHARS })),
    h(
      "div",
      { className: "composer-toolbar" },
      h(AttachButton, { label: labels.attach, onAttach }),
      children,
      h("span", { className: "spacer" }),
      isBusy ? h(StopButton, { label: labels.stop, onStop }) : h(SendButton, { label: labels.send, isDisabled: !canSend }),
    ),
  );
});

function StopButton({ label, onStop }) {
  return h(
    "button",
    { type: "button", id: "stop", className: "button round", "aria-label": label, title: label, onClick: atFirstClick(onStop) },
    h(Square, { size: 14, fill: "currentColor", "aria-hidden": true }),
  );
}

function SendButton({ label, isDisabled }) {
  return h(
    "button",
    { type: "submit", id: "send", className: "button round primary", "aria-label": label, title: label, disabled: isDisabled },
    h(ArrowUp, { size: 18, "aria-hidden": true }),
  );
}

function fit(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
