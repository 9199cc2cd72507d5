// The line over the wall: how the drawing goes, and what can be done with the pictures.
import { createElement as h, useState } from "react";
import { CheckCheck, FileArchive, FolderDown, FolderX, ListChecks, SlidersHorizontal, Trash2, X } from "lucide-react";
import { toast } from "sonner";
import { ConfirmDialog } from "./confirming.js";
import { fill } from "./wording.js";

// Only the state is said aloud: a picture every second is no news.
export function StatusLine({ status, shown, hiddenCount, labels }) {
  const average = (shown.averageMs / 1000).toFixed(1);
  const hasFigures = status.state !== "idle" || shown.pictures.length > 0;
  return h(
    "div",
    { className: "imagine-status" },
    h("span", { id: "state", role: "status", "data-state": status.state }, labels[status.state]),
    hasFigures &&
      h(
        "dl",
        null,
        figure("images", labels.images, shown.finished),
        hiddenCount > 0 && figure("hidden-images", labels.hidden, hiddenCount),
        figure("active-runs", labels.active_runs, status.activeRuns),
        figure("average", labels.average, shown.finished ? fill(labels.seconds, { count: average }) : "–"),
        figure("transport", labels.transport, status.transport || "–"),
      ),
  );
}

function figure(id, name, value) {
  return h("div", null, h("dt", null, name), h("dd", { id }, value));
}

// What can be done with all pictures, or with those that are selected.
export function Actions({ isEmpty, selection, saving, labels, onClear }) {
  const [isClearing, setClearing] = useState(false);
  const clear = () => {
    onClear();
    selection.end();
    toast.success(labels.cleared);
  };
  return [
    selection.keys
      ? h(SelectionActions, { key: "selection", selection, saving, labels })
      : h(
          "div",
          { key: "all", className: "imagine-actions" },
          action("select", ListChecks, labels.select, { disabled: isEmpty, onClick: selection.begin }),
          action("clear", Trash2, labels.clear, { disabled: isEmpty, onClick: () => setClearing(true) }),
          action("options", SlidersHorizontal, labels.options, { popoverTarget: "options-panel" }),
        ),
    h(ConfirmDialog, {
      key: "clearing",
      isOpen: isClearing,
      labels: { title: labels.clear_title, lead: labels.clear_lead, confirm: labels.clear, cancel: labels.cancel },
      onConfirm: clear,
      onClose: () => setClearing(false),
    }),
  ];
}

function SelectionActions({ selection, saving, labels }) {
  const { pictures, selectAll, selectNone, end } = selection;
  const isEmpty = pictures.length === 0;
  const save = async () => {
    if (await saving.saveTogether(pictures)) end();
  };
  return h(
    "div",
    { className: "imagine-actions" },
    h("span", { className: "selection-count", role: "status" }, fill(labels.selected, { count: pictures.length })),
    action("select-all", CheckCheck, labels.select_all, { onClick: selectAll }),
    action("select-none", X, labels.select_none, { disabled: isEmpty, onClick: selectNone }),
    action("zip", FileArchive, labels.zip, { className: "button primary", disabled: isEmpty || saving.isBusy, onClick: save }),
    h("button", { type: "button", id: "select-end", className: "button", onClick: end }, labels.select_end),
  );
}

// `children` are the toggles. `folder` is where finished pictures go, or null; `onFolder` is missing where there is no
// way to choose one.
export function Options({ children, folder, labels, onFolder }) {
  const name = folder ? fill(labels.folder_end, { name: folder.name }) : labels.folder;
  return h(
    "div",
    { id: "options-panel", className: "options-panel", popover: "auto", role: "group", "aria-label": labels.options },
    children,
    onFolder && action("folder", folder ? FolderX : FolderDown, name, { onClick: onFolder }),
  );
}

function action(id, Icon, label, props) {
  return h(
    "button",
    { type: "button", id, className: "button quiet", title: label, ...props },
    h(Icon, { size: 16, "aria-hidden": true }),
    h("span", null, label),
  );
}
