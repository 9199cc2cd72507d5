// One picture, as large as the screen has room for, and the way to those beside it.
import { createElement as h, useEffect, useRef } from "react";
import { ChevronLeft, ChevronRight, Download, X } from "lucide-react";
import { fill } from "./wording.js";

// Where a key leads from the picture at `index`; around the ends, so that there is always a next one.
const WAYS = {
  ArrowLeft: (index, count) => (index + count - 1) % count,
  ArrowRight: (index, count) => (index + 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

// `pictures` is what can be looked through, in its order; `openKey` says which is shown.
export function Lightbox({ pictures, openKey, labels, onShow, onSave, onClose }) {
  const dialog = useRef(null);
  const index = pictures.findIndex(({ key }) => key === openKey);
  const picture = pictures[index];
  const isOpen = Boolean(picture);
  useEffect(() => {
    if (isOpen) dialog.current.showModal();
    else dialog.current.close();
  }, [isOpen]);
  const go = (key) => onShow(pictures[WAYS[key](index, pictures.length)].key);
  const onKeyDown = (event) => {
    if (!(event.key in WAYS) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(event.key);
  };
  const leave = ({ target, currentTarget }) => target === currentTarget && dialog.current.close();
  return h(
    "dialog",
    { ref: dialog, className: "lightbox", "aria-label": labels.lightbox, onKeyDown, onClick: leave, onClose: () => onClose(openKey) },
    picture && [
      h(
        "div",
        { key: "top", className: "lightbox-top" },
        h("span", { className: "lightbox-place" }, fill(labels.place, { number: index + 1, total: pictures.length })),
        iconButton("lightbox-download", Download, labels.download, () => onSave(picture)),
        iconButton("lightbox-close", X, labels.close, () => dialog.current.close()),
      ),
      h("img", { key: "picture", src: picture.url, alt: fill(labels.picture, picture), decoding: "sync", "data-stage": picture.stage }),
      h("p", { key: "prompt", className: "lightbox-prompt" }, picture.prompt),
      iconButton("lightbox-previous", ChevronLeft, labels.previous, () => go("ArrowLeft")),
      iconButton("lightbox-next", ChevronRight, labels.next, () => go("ArrowRight")),
    ],
  );
}

function iconButton(id, Icon, label, onClick) {
  return h(
    "button",
    { key: id, type: "button", id, className: "button icon", "aria-label": label, title: label, onClick },
    h(Icon, { size: 20, "aria-hidden": true }),
  );
}
