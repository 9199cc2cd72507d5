// The form of both doors, the operator's and the visitors': one key, which can be shown, and why it was refused.
import { createElement as h, useState } from "react";
import { Eye, EyeOff } from "lucide-react";

// `onSubmit` is given the key. `isBusy` keeps it from being sent twice.
export function KeyForm({ id, labels, message, isBusy, onSubmit }) {
  const [key, setKey] = useState("");
  const [isShown, setShown] = useState(false);
  const submit = (event) => {
    event.preventDefault();
    onSubmit(key.trim());
  };
  return h(
    "form",
    { className: "card", onSubmit: submit },
    h("img", { src: "/mark.svg", alt: "", className: "mark large" }),
    h("h1", { className: "card-title" }, labels.title),
    h("p", { className: "lead" }, labels.lead),
    h("label", { htmlFor: id, className: "label" }, labels.key),
    h(
      "div",
      { className: "field" },
      h("input", {
        id,
        className: "input",
        type: isShown ? "text" : "password",
        autoComplete: "current-password",
        autoFocus: true,
        required: true,
        value: key,
        onChange: (event) => setKey(event.target.value),
        "aria-invalid": message !== "",
        "aria-describedby": `${id}-error`,
      }),
      h(
        "button",
        {
          type: "button",
          className: "button quiet icon",
          "aria-label": isShown ? labels.hide : labels.show,
          title: isShown ? labels.hide : labels.show,
          onClick: () => setShown(!isShown),
        },
        h(isShown ? EyeOff : Eye, { size: 18, "aria-hidden": true }),
      ),
    ),
    message && h("p", { id: `${id}-error`, role: "alert", className: "field-error" }, message),
    h("button", { type: "submit", className: "button primary wide", disabled: isBusy }, labels.submit),
    h("p", { className: "hint" }, labels.hint),
  );
}
