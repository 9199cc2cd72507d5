// The list of conversations: beside the chat on a wide screen, over it on a phone.
import { createElement as h, memo, useEffect, useRef, useState } from "react";
import { Download, Trash2, X } from "lucide-react";
import { ConfirmDialog } from "./confirming.js";
import { fill } from "./wording.js";

const ALL = { id: "", title: "" };

// A panel when `isWide`, else a drawer that Escape and a click beside it close.
export const History = memo(function History({ isWide, isOpen, onClose, ...list }) {
  if (!isWide) return h(Drawer, { isOpen, onClose, ...list });
  return isOpen && h("aside", { className: "history", "aria-label": list.labels.conversations }, h(List, list));
});

function Drawer({ isOpen, onClose, onChoose, ...list }) {
  const drawer = useRef(null);
  const { labels } = list;
  useEffect(() => {
    if (isOpen) drawer.current.showModal();
    else drawer.current.close();
  }, [isOpen]);
  return h(
    "dialog",
    {
      ref: drawer,
      className: "history drawer",
      "aria-label": labels.conversations,
      onClose: (event) => event.target === drawer.current && onClose(),
      onClick: (event) => event.target === drawer.current && onClose(),
    },
    isOpen &&
      h(
        List,
        { ...list, onChoose: (id) => (onClose(), onChoose(id)) },
        h(IconButton, { icon: X, label: labels.close, onClick: onClose }),
      ),
  );
}

function List({ conversations, openId, isKept, labels, language, onChoose, onSave, onSaveAll, onRemove, onRemoveAll, children }) {
  const [doomed, setDoomed] = useState(null);
  const isAll = doomed === ALL;
  const rows = conversations.map((conversation) =>
    h(Row, {
      key: conversation.id,
      conversation,
      isCurrent: conversation.id === openId,
      labels,
      language,
      onChoose: () => onChoose(conversation.id),
      onSave: () => onSave(conversation),
      onRemove: () => setDoomed(conversation),
    }),
  );
  return [
    h("div", { key: "head", className: "history-head" }, h("h2", null, labels.conversations), children),
    rows.length
      ? h("ul", { key: "rows", className: "history-rows" }, ...rows)
      : h("p", { key: "none", className: "hint history-rows" }, isKept !== null && (isKept ? labels.no_conversations : labels.not_kept)),
    rows.length > 0 && h(Foot, { key: "foot", labels, onSaveAll, onRemoveAll: () => setDoomed(ALL) }),
    h(ConfirmDialog, {
      key: "confirm",
      isOpen: doomed !== null,
      labels: {
        title: isAll ? labels.delete_all_title : labels.delete_title,
        lead: isAll ? labels.delete_all_lead : fill(labels.delete_lead, { title: doomed?.title ?? "" }),
        confirm: labels.delete,
        cancel: labels.cancel,
      },
      onConfirm: () => (isAll ? onRemoveAll() : onRemove(doomed.id)),
      onClose: () => setDoomed(null),
    }),
  ];
}

function Row({ conversation, isCurrent, labels, language, onChoose, onSave, onRemove }) {
  const { title, changedMs } = conversation;
  const time = new Date(changedMs);
  const shown = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(time);
  return h(
    "li",
    { className: "history-row" },
    h(
      "button",
      { type: "button", className: "history-title", title, "aria-current": isCurrent || undefined, onClick: onChoose },
      h("span", null, title),
      h("time", { dateTime: time.toISOString() }, shown),
    ),
    h(
      "span",
      { className: "history-actions" },
      h(IconButton, { icon: Download, label: fill(labels.save, { title }), onClick: onSave }),
      h(IconButton, { icon: Trash2, label: fill(labels.delete_one, { title }), onClick: onRemove }),
    ),
  );
}

function Foot({ labels, onSaveAll, onRemoveAll }) {
  return h(
    "div",
    { className: "history-foot" },
    h("p", { className: "hint" }, labels.kept_here),
    h("button", { type: "button", className: "button quiet small-text", onClick: onSaveAll }, labels.save_all),
    h("button", { type: "button", className: "button quiet small-text", onClick: onRemoveAll }, labels.delete_all),
  );
}

function IconButton({ icon, label, onClick }) {
  return h(
    "button",
    { type: "button", className: "button quiet icon small", "aria-label": label, title: label, onClick },
    h(icon, { size: 15, "aria-hidden": true }),
  );
}
