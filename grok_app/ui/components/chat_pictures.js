// The pictures of a question: chosen, pasted or dropped, shown before they are sent and with the question.
import { createElement as h, useCallback, useEffect, useRef, useState } from "react";
import { ImagePlus, X } from "lucide-react";
import { toast } from "sonner";
import { PICTURE_TYPES } from "./attached_pictures.js";
import { newId, picturesOf } from "./chat_conversation.js";
import { choose, LIMITS } from "./chat_attaching.js";
import { fill } from "./wording.js";

// The pictures of the next question, each `{id, name, blob}`.
export function usePictures(chatting, labels) {
  const [pictures, setPictures] = useState([]);
  const attach = useCallback(
    async (files) => {
      const already = [...picturesOf(chatting.snapshot().turns), ...pictures].map(({ blob }) => blob);
      const { taken, reasons } = await choose(files, already);
      for (const reason of reasons) toast.error(fill(labels[reason], LIMITS));
      setPictures((before) => [...before, ...taken.map((file) => ({ id: newId(), name: file.name, blob: file }))]);
    },
    [chatting, pictures, labels],
  );
  const remove = useCallback((id) => setPictures((before) => before.filter((it) => it.id !== id)), []);
  const clear = useCallback(() => setPictures([]), []);
  return { pictures, attach, remove, clear };
}

export function AttachButton({ label, onAttach }) {
  const field = useRef(null);
  const take = ({ target }) => {
    onAttach([...target.files]);
    target.value = ""; // so that the same file can be chosen again
  };
  return [
    h("input", {
      key: "field",
      ref: field,
      id: "pictures",
      type: "file",
      accept: PICTURE_TYPES.join(),
      multiple: true,
      hidden: true,
      "aria-label": label,
      onChange: take,
    }),
    h(
      "button",
      {
        key: "button",
        type: "button",
        id: "attach",
        className: "button quiet icon",
        "aria-label": label,
        title: label,
        onClick: () => field.current.click(),
      },
      h(ImagePlus, { size: 17, "aria-hidden": true }),
    ),
  ];
}

export function Attached({ pictures, label, removeLabel, onRemove }) {
  if (!pictures.length) return null;
  return h(
    "ul",
    { className: "attached", "aria-label": label },
    ...pictures.map((picture) =>
      h(
        "li",
        { key: picture.id },
        h(Preview, { picture }),
        h(
          "button",
          {
            type: "button",
            className: "attached-remove",
            "aria-label": fill(removeLabel, { name: picture.name }),
            title: fill(removeLabel, { name: picture.name }),
            onClick: () => onRemove(picture.id),
          },
          h(X, { size: 13, "aria-hidden": true }),
        ),
      ),
    ),
  );
}

export function Preview({ picture }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(picture.blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [picture.blob]);
  return address && h("img", { className: "preview", src: address, alt: picture.name });
}
