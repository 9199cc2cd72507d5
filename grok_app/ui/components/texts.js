// Large texts between the browser and the server, which no page's state ever holds: FileDownload, TextIntake.
import { createElement as h, useEffect, useRef, useState } from "react";
import { FileText, Upload, X } from "lucide-react";
import { refs } from "$/utils/state";
import { download } from "./downloading.js";

// An event over a megabyte closes the socket; a character may need six bytes in it.
const SLICE_CHARS = 150_000;
// A field with more in it makes the browser slow.
const SHOWN_CHARS = 200_000;

// Saves what the server answers to each request that it hands over by setting the value of this reference.
export function FileDownload({ failedLabel, onDone }) {
  const done = useRef(onDone);
  done.current = (error) => onDone(error === undefined ? "" : error.message || failedLabel);
  useEffect(() => {
    refs.ref_file_download = {
      current: {
        set value(request) {
          save(JSON.parse(request)).then(() => done.current(), (error) => done.current(error));
        },
      },
    };
    return () => delete refs.ref_file_download;
  }, []);
  return null;
}

// A text that is pasted, dropped or read from a file. It goes out piece by piece, each when the server wants it.
export function TextIntake({ wanted, limitChars, isBusy, labels, children, onBegin, onPiece, onEnd, onRefuse, onCancel }) {
  const field = useRef(null);
  const picker = useRef(null);
  // What is being sent stays as it was when it began, whatever is dropped meanwhile.
  const sending = useRef({ text: "", offset: 0 });
  const [file, setFile] = useState(null);
  const [hasText, setHasText] = useState(false);
  const [isOver, setOver] = useState(false);
  const text = () => file?.text ?? field.current.value;
  const take = (name, content) => {
    if (content.length > limitChars) return onRefuse();
    setFile({ name, text: content });
  };
  const read = async (chosen) => {
    if (!chosen) return;
    // No character needs more than four bytes: such a file isn't even read.
    if (chosen.size > limitChars * 4) onRefuse();
    else take(chosen.name, await chosen.text());
  };
  useEffect(() => {
    if (wanted < 1) return;
    const piece = pieceAt(sending.current.text, sending.current.offset);
    sending.current.offset += piece.length;
    if (piece) onPiece(piece);
    else onEnd();
  }, [wanted]);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    const { files } = event.dataTransfer;
    if (files.length) read(files[0]);
    else take(labels.pasted, event.dataTransfer.getData("text"));
  };
  const paste = (event) => {
    const pasted = event.clipboardData.getData("text");
    if (pasted.length <= SHOWN_CHARS) return;
    event.preventDefault();
    take(labels.pasted, pasted);
  };
  const begin = (event) => {
    event.preventDefault();
    sending.current = { text: text(), offset: 0 };
    onBegin(sending.current.text.length);
  };
  return h(
    "form",
    {
      className: isOver ? "intake over" : "intake",
      onSubmit: begin,
      onDragOver: (event) => (event.preventDefault(), setOver(true)),
      onDragLeave: (event) => event.currentTarget.contains(event.relatedTarget) || setOver(false),
      onDrop: drop,
    },
    file
      ? h(Chosen, { file, labels, isBusy, onForget: () => setFile(null) })
      : h("textarea", {
          ref: field,
          id: "import-text",
          className: "textarea mono",
          rows: 7,
          placeholder: labels.placeholder,
          "aria-label": labels.field,
          spellCheck: false,
          autoComplete: "off",
          disabled: isBusy,
          onPaste: paste,
          onChange: (event) => setHasText(event.target.value.trim() !== ""),
        }),
    h(
      "div",
      { className: "intake-file" },
      h("input", {
        ref: picker,
        id: "import-file",
        type: "file",
        accept: ".txt,.json,text/plain,application/json",
        hidden: true,
        onChange: (event) => {
          read(event.target.files[0]);
          event.target.value = "";
        },
      }),
      h(
        "button",
        { type: "button", className: "button", disabled: isBusy, onClick: () => picker.current.click() },
        h(Upload, { size: 16, "aria-hidden": true }),
        labels.choose,
      ),
      h("span", { className: "intake-hint" }, labels.hint),
    ),
    children,
    h(
      "div",
      { className: "dialog-actions" },
      h("button", { type: "button", className: "button", onClick: () => onCancel() }, labels.cancel),
      h(
        "button",
        { type: "submit", id: "preview", className: "button primary", disabled: isBusy || !(file || hasText) },
        labels.preview,
      ),
    ),
  );
}

function Chosen({ file, labels, isBusy, onForget }) {
  return h(
    "div",
    { className: "intake-chosen" },
    h(FileText, { size: 18, "aria-hidden": true }),
    h("span", { className: "clip" }, file.name),
    h("span", { className: "intake-hint" }, labels.size.replace("{count}", file.text.length.toLocaleString())),
    h(
      "button",
      { type: "button", className: "button quiet icon small", "aria-label": labels.forget, disabled: isBusy, onClick: onForget },
      h(X, { size: 16, "aria-hidden": true }),
    ),
  );
}

// Never half of a character that JavaScript counts as two.
function pieceAt(text, offset) {
  const end = offset + SLICE_CHARS;
  const last = text.charCodeAt(end - 1);
  return text.slice(offset, last >= 0xd800 && last < 0xdc00 ? end + 1 : end);
}

async function save({ path, body, name }) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.error?.message);
  download(await answer.blob(), name);
}
