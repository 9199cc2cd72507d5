// The picture that a video begins with: a file or an address, never both.
import { createElement as h, useEffect, useRef, useState } from "react";
import { ImagePlus, Link, X } from "lucide-react";
import { flushSync } from "react-dom";
import { PICTURE_TYPES, pastedFiles, previewOf } from "./attached_pictures.js";

// `reference` is a `File`, or an address, which may be empty. `onFile` takes what was chosen, whatever it is.
export function Reference({ labels, reference, onChange, onFile }) {
  const isFile = typeof reference !== "string";
  const chooser = useRef(null);
  const clear = () => {
    flushSync(() => onChange(""));
    chooser.current.focus(); // the button that was pressed is gone
  };
  return isFile
    ? h(ChosenFile, { file: reference, labels, onClear: clear })
    : h(Offer, { chooser, address: reference, labels, onChange, onFile, onClear: clear });
}

// The events of an area in which a file can be dropped or pasted, and whether one hovers above it.
export function usePictureDrop(onFile) {
  const [isOver, setOver] = useState(false);
  const take = (event, [file]) => {
    if (!file) return;
    event.preventDefault();
    onFile(file);
  };
  const onDragOver = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  };
  const onDragLeave = ({ currentTarget, relatedTarget }) => currentTarget.contains(relatedTarget) || setOver(false);
  const onDrop = (event) => {
    setOver(false);
    take(event, event.dataTransfer.files);
  };
  const onPaste = (event) => take(event, pastedFiles(event));
  return [isOver, { onDragOver, onDragLeave, onDrop, onPaste }];
}

function ChosenFile({ file, labels, onClear }) {
  const [shown, setShown] = useState(null);
  useEffect(() => {
    const address = URL.createObjectURL(file);
    setShown(address);
    return () => URL.revokeObjectURL(address);
  }, [file]);
  return h(
    "div",
    { className: "reference" },
    h(Preview, { address: shown, labels }),
    h("span", { className: "reference-name", title: file.name }, file.name),
    h(Clear, { labels, onClear }),
  );
}

function Offer({ chooser, address, labels, onChange, onFile, onClear }) {
  const picker = useRef(null);
  const preview = address && previewOf(address.trim(), location.origin);
  const onPick = ({ target }) => {
    onFile(target.files[0]);
    target.value = ""; // else the same file could not be chosen again
  };
  return h(
    "div",
    { className: "reference" },
    preview && h(Preview, { address: preview, labels }),
    h("input", { ref: picker, type: "file", accept: PICTURE_TYPES.join(), hidden: true, onChange: onPick }),
    h(
      "button",
      {
        ref: chooser,
        type: "button",
        id: "choose-picture",
        className: "button",
        disabled: address !== "",
        onClick: () => picker.current.click(),
      },
      h(ImagePlus, { size: 16, "aria-hidden": true }),
      labels.choose,
    ),
    h(
      "span",
      { className: "reference-address" },
      h(Link, { size: 15, "aria-hidden": true }),
      h("input", {
        id: "picture-address",
        inputMode: "url",
        autoComplete: "off",
        spellCheck: false,
        value: address,
        placeholder: labels.address_placeholder,
        "aria-label": labels.address,
        onChange: ({ target }) => onChange(target.value),
      }),
      address && h(Clear, { labels, onClear }),
    ),
  );
}

function Preview({ address, labels }) {
  return h("img", { src: address, alt: labels.preview, className: "reference-preview" });
}

function Clear({ labels, onClear }) {
  return h(
    "button",
    { type: "button", className: "button quiet icon small", "aria-label": labels.clear, title: labels.clear, onClick: onClear },
    h(X, { size: 16, "aria-hidden": true }),
  );
}
