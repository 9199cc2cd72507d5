// The form of the settings. What is typed stays in the browser until it is saved: typing costs the server nothing, and
// a typed secret never enters the page's state. The rows are in `settings_fields.js`.
import { createElement as h, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useBlocker } from "react-router";
import { Search } from "lucide-react";
import { SettingRow, fill, idOf } from "./settings_fields.js";

export function SettingsForm({ sections, values, answer, language, labels, signIn, onSave, onReveal, onGenerate }) {
  const [query, setQuery] = useState("");
  const [edits, setEdits] = useState({});
  const [sent, setSent] = useState(null);
  const [failed, setFailed] = useState(null);
  const [discards, setDiscards] = useState(0);
  const names = Object.keys(edits);
  const found = useMemo(() => search(sections, query), [sections, query]);
  const blocker = useGuard(names.length > 0, signIn);
  const onEdit = useCallback(
    (name, edit) => setEdits(({ [name]: _, ...others }) => (edit ? { ...others, [name]: edit } : others)),
    [],
  );

  useEffect(() => {
    if (sent === null) return;
    setSent(null);
    setFailed(answer.is_saved ? null : { faults: answer.faults, edits: sent });
    if (answer.is_saved) setEdits((now) => pick(now, (name) => now[name] !== sent[name]));
    else if (Object.keys(answer.faults).length > 0) setQuery("");
  }, [answer.serial]);

  // After the rows that the search had hidden are back.
  useEffect(() => {
    const field = failed && allFields(sections).find(({ name }) => name in failed.faults);
    const control = field && document.getElementById(idOf(field.name));
    control?.closest(".setting").scrollIntoView({ block: "center" });
    control?.focus({ preventScroll: true });
  }, [failed]);

  const save = (event) => {
    event.preventDefault();
    if (sent !== null || names.length === 0) return;
    const fields = allFields(sections).filter(({ name }) => name in edits);
    const isReset = ({ name, is_key, default_text }) => !is_key && edits[name].text === default_text;
    setSent(edits);
    onSave(
      Object.fromEntries(fields.filter((it) => !isReset(it)).map(({ name }) => [name, edits[name].text])),
      fields.filter(isReset).map(({ name }) => name),
    );
  };
  const discard = () => {
    setEdits({});
    setFailed(null);
    setDiscards(discards + 1);
  };
  const row = (field) =>
    h(SettingRow, {
      key: field.name,
      field,
      language,
      labels,
      shown: values[field.name],
      edit: edits[field.name],
      fault: failed && failed.edits[field.name] === edits[field.name] ? failed.faults[field.name] : undefined,
      round: `${answer.serial}-${discards}`,
      onEdit,
      onReveal,
      onGenerate,
    });
  return h(
    "form",
    { className: "settings", onSubmit: save, noValidate: true, autoComplete: "off" },
    h(Index, { sections: found, language, labels, query, setQuery }),
    h(
      "div",
      { className: "settings-sections" },
      found.map((section) => h(Section, { key: section.name, section, language }, section.fields.map(row))),
      found.length === 0 && h(Nothing, { labels, query, clear: () => setQuery("") }),
      names.length > 0 && h(Bar, { labels, count: names.length, isBusy: sent !== null, discard }),
    ),
    h(LeaveDialog, { blocker, labels }),
  );
}

function Index({ sections, language, labels, query, setQuery }) {
  const go = (event, name) => {
    event.preventDefault();
    const head = document.getElementById(`section-${name}`);
    head.scrollIntoView({ block: "start" });
    head.focus({ preventScroll: true });
  };
  return h(
    "div",
    { className: "settings-index" },
    h(
      "label",
      { className: "field search" },
      h(Search, { size: 16, "aria-hidden": true }),
      h("span", { className: "visually-hidden" }, labels.search),
      h("input", {
        type: "search",
        id: "settings-search",
        className: "input",
        placeholder: labels.search,
        value: query,
        onChange: (event) => setQuery(event.target.value),
        onKeyDown: (event) => event.key === "Enter" && event.preventDefault(),
      }),
    ),
    h(
      "nav",
      { "aria-label": labels.sections, className: "settings-links" },
      sections.map(({ name, title }) =>
        h("a", { key: name, href: `#section-${name}`, onClick: (event) => go(event, name) }, title[language]),
      ),
    ),
  );
}

function Section({ section, language, children }) {
  const id = `section-${section.name}`;
  return h(
    "section",
    { "aria-labelledby": id, className: "settings-section" },
    h("h2", { id, tabIndex: -1, className: "settings-head" }, section.title[language]),
    h("p", { className: "settings-lead" }, section.help[language]),
    h("div", { className: "panel settings-panel" }, children),
  );
}

function Nothing({ labels, query, clear }) {
  return h(
    "div",
    { className: "empty", role: "status" },
    h("h2", { className: "empty-title" }, labels.nothing),
    h("p", { className: "empty-lead" }, fill(labels.nothing_lead, query)),
    h("div", { className: "empty-actions" }, h("button", { type: "button", className: "button", onClick: clear }, labels.show_all)),
  );
}

function Bar({ labels, count, isBusy, discard }) {
  return h(
    "div",
    { className: "save-bar" },
    h("p", { role: "status" }, fill(count === 1 ? labels.one_unsaved : labels.many_unsaved, count)),
    h("button", { type: "button", className: "button", onClick: discard, disabled: isBusy }, labels.discard),
    h("button", { type: "submit", className: "button primary", disabled: isBusy }, labels.save),
  );
}

// Asks before unsaved edits are lost: on the way to another site, a reload, or another page of ours.
function useGuard(isDirty, signIn) {
  useEffect(() => {
    if (!isDirty) return undefined;
    const ask = (event) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isDirty]);
  return useBlocker(({ currentLocation: { pathname: here }, nextLocation: { pathname: next } }) => {
    const isSessionOver = next.startsWith(signIn);
    return isDirty && !isSessionOver && trim(here) !== trim(next);
  });
}

function LeaveDialog({ blocker, labels }) {
  const dialog = useRef(null);
  const isAsking = blocker.state === "blocked";
  useEffect(() => {
    if (isAsking) dialog.current.showModal();
    else dialog.current.close();
  }, [isAsking]);
  const stay = () => isAsking && blocker.reset();
  return h(
    "dialog",
    { ref: dialog, className: "confirm-dialog", "aria-labelledby": "leave-title", onClose: stay },
    h("h2", { id: "leave-title", className: "dialog-title" }, labels.leave_title),
    h("p", { className: "dialog-lead" }, labels.leave_lead),
    h(
      "div",
      { className: "dialog-actions" },
      h("button", { type: "button", className: "button", onClick: stay }, labels.stay),
      h("button", { type: "button", className: "button danger", onClick: () => blocker.proceed() }, labels.leave),
    ),
  );
}

// The sections with the settings that have every word of the query in their texts, in either language, or their name.
function search(sections, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return sections
    .map((section) => {
      const about = Object.values(section.title).join(" ");
      const has = ({ name, title, help }) => {
        const text = [name, about, ...Object.values(title), ...Object.values(help)].join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      };
      return { ...section, fields: section.fields.filter(has) };
    })
    .filter(({ fields }) => fields.length > 0);
}

const allFields = (sections) => sections.flatMap(({ fields }) => fields);

const pick = (object, has) => Object.fromEntries(Object.entries(object).filter(([name]) => has(name)));

const trim = (path) => path.replace(/\/+$/, "");
