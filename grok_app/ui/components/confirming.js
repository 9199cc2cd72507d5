// A question before something is done that can't be undone.
import { createElement as h, useEffect, useRef } from "react";

// `labels` has `title`, `lead`, `confirm` and `cancel`. Escape is "no".
export function ConfirmDialog({ isOpen, labels, onConfirm, onClose }) {
  const dialog = useRef(null);
  useEffect(() => {
    if (isOpen) dialog.current.showModal();
    else dialog.current.close();
  }, [isOpen]);
  const confirm = () => {
    onConfirm();
    onClose();
  };
  return h(
    "dialog",
    { ref: dialog, role: "alertdialog", className: "confirm-dialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-lead", onClose },
    h("h2", { id: "confirm-title" }, labels.title),
    h("p", { id: "confirm-lead" }, labels.lead),
    h(
      "div",
      { className: "confirm-actions" },
      h("button", { type: "button", className: "button", onClick: onClose }, labels.cancel),
      h("button", { type: "button", id: "confirm", className: "button danger", onClick: confirm }, labels.confirm),
    ),
  );
}
