// One setting each: its name and help, the control for its kind, and what there is to say of its value.
import { createElement as h, memo, useEffect, useRef, useState } from "react";
import { Eye, EyeOff, RotateCcw, Undo2, WandSparkles } from "lucide-react";
import { refs } from "$/utils/state";
import { CopyButton } from "./copying.js";

const MASK = "••••••••••••";

export const idOf = (name) => `setting-${name.replace(".", "-")}`;

// An edit is what the field holds now, and what the server had when it began.
export const SettingRow = memo(function SettingRow({ field, language, shown, edit, fault, labels, round, onEdit, ...ask }) {
  const id = idOf(field.name);
  const isHeld = shown.source === "environment";
  const value = edit ? edit.text : shown.text;
  const isDefault = field.is_masked && !edit ? !shown.is_set : value === field.default_text;
  const hasMoved = edit && !field.is_masked && shown.text !== edit.base;
  const notes = [`${id}-help`, isHeld && `${id}-held`, hasMoved && `${id}-moved`, fault && `${id}-fault`];
  const control = {
    id,
    name: field.name,
    "aria-describedby": notes.filter(Boolean).join(" "),
    "aria-invalid": fault ? true : undefined,
  };
  const set = (text) => onEdit(field.name, !field.is_masked && text === shown.text ? null : { text, base: shown.text });
  const drop = () => onEdit(field.name, null);
  const props = { field, language, value, shown, edit, isHeld, labels, control, set, drop, ...ask };
  return h(
    "div",
    { className: "setting", "data-unsaved": edit ? true : undefined, "data-name": field.name },
    h(
      "div",
      { className: "setting-about" },
      h(
        "div",
        { className: "setting-title" },
        h("label", { htmlFor: id }, field.title[language]),
        !isDefault && !field.is_key && h(Dot, { label: labels.differs }),
        edit && h("span", { className: "badge accent" }, labels.unsaved),
        edit && h(IconButton, { icon: Undo2, label: `${labels.undo}: ${field.title[language]}`, onClick: drop }),
      ),
      h("p", { id: `${id}-help`, className: "setting-help" }, field.help[language]),
      h("code", { className: "setting-name" }, field.name),
    ),
    h(
      "div",
      { className: "setting-value" },
      h(field.is_masked ? Secret : CONTROLS[field.kind], { key: round, ...props }),
      hasMoved && h("p", { id: `${id}-moved`, className: "setting-moved" }, fill(labels.moved, read(shown.text, field, labels))),
      fault && h("p", { id: `${id}-fault`, className: "setting-fault" }, fault),
      isHeld && h("p", { id: `${id}-held`, className: "setting-held" }, labels.held, " ", h("code", null, shown.variable)),
      !isHeld && !field.is_key && !isDefault && h(Default, { field, language, labels, reset: () => set(field.default_text) }),
    ),
  );
});

const CONTROLS = { bool: Switch, int: Line, float: Line, text: Line, choice: Choice, list: Lines, object: Lines };

function Switch({ value, isHeld, labels, control, set }) {
  const isOn = value === "true";
  return h(
    "div",
    { className: "switch-line" },
    h("input", {
      ...control,
      type: "checkbox",
      role: "switch",
      className: "switch",
      checked: isOn,
      disabled: isHeld,
      onChange: (event) => set(String(event.target.checked)),
    }),
    h("span", { "aria-hidden": true }, isOn ? labels.on : labels.off),
  );
}

function Line({ field, language, value, isHeld, control, set }) {
  const isNumber = field.range !== "";
  const range = isNumber && h("span", { id: `${control.id}-range`, className: "setting-range" }, withUnit(field.range, field, language));
  return h(
    "div",
    { className: isNumber ? "number-line" : "text-line" },
    h("input", {
      ...control,
      "aria-describedby": isNumber ? `${control["aria-describedby"]} ${control.id}-range` : control["aria-describedby"],
      className: "setting-input",
      type: "text",
      inputMode: isNumber ? "decimal" : undefined,
      autoComplete: "off",
      spellCheck: false,
      value,
      readOnly: isHeld,
      onChange: (event) => set(event.target.value),
    }),
    range,
  );
}

function Choice({ field, value, isHeld, control, set }) {
  const options = field.choices.map((choice) => h("option", { key: choice, value: choice }, choice));
  const onChange = (event) => set(event.target.value);
  return h("select", { ...control, className: "select", value, disabled: isHeld, onChange }, options);
}

function Lines({ field, value, isHeld, labels, control, set }) {
  return h(
    "div",
    null,
    h("textarea", {
      ...control,
      "aria-describedby": `${control["aria-describedby"]} ${control.id}-form`,
      className: "textarea mono",
      rows: Math.min(8, Math.max(3, value.split("\n").length)),
      spellCheck: false,
      value,
      readOnly: isHeld,
      onChange: (event) => set(event.target.value),
    }),
    h("p", { id: `${control.id}-form`, className: "setting-range" }, field.kind === "list" ? labels.per_line : labels.as_object),
  );
}

// Its value is on the server until somebody asks. It is handed to this component alone, which forgets it when hidden.
function Secret({ field, language, shown, edit, isHeld, labels, control, set, drop, onReveal, onGenerate }) {
  const [revealed, setRevealed] = useState(null);
  const [isTypedShown, setTypedShown] = useState(false);
  const reveal = useHanded("secret", field.name, onReveal);
  const make = useHanded("key", field.name, onGenerate);
  const isShown = edit ? isTypedShown : revealed !== null;
  const value = edit ? edit.text : (revealed ?? "");
  const type = (text) => {
    if (!edit) setTypedShown(isShown);
    const isBack = shown.is_set ? text === revealed || (revealed === null && text === "") : text === "";
    if (isBack) drop();
    else set(text);
  };
  const toggle = async () => {
    if (edit) setTypedShown(!isTypedShown);
    else setRevealed(revealed === null ? await reveal() : null);
  };
  const generate = async () => {
    const key = await make();
    setTypedShown(true);
    set(key);
  };
  const isText = field.kind === "object";
  const say = (label) => `${label}: ${field.title[language]}`;
  return h(
    "div",
    { className: "field secret" },
    h(isText ? "textarea" : "input", {
      ...control,
      className: isText ? "textarea mono" : "input mono",
      type: isText ? undefined : isShown ? "text" : "password",
      rows: isText ? (isShown ? 4 : 1) : undefined,
      autoComplete: isText ? "off" : "new-password",
      spellCheck: false,
      placeholder: edit ? undefined : shown.is_set ? MASK : labels.empty,
      value,
      readOnly: isHeld,
      onChange: (event) => type(event.target.value),
    }),
    (edit || shown.is_set) && h(IconButton, { icon: isShown ? EyeOff : Eye, label: say(isShown ? labels.hide : labels.reveal), onClick: toggle }),
    (edit || shown.is_set) &&
      h(CopyButton, {
        source: () => (edit ? edit.text : (revealed ?? reveal())),
        copyLabel: say(labels.copy),
        copiedLabel: say(labels.copied),
      }),
    field.is_key && !isHeld && h(IconButton, { icon: WandSparkles, label: say(labels.generate), onClick: generate }),
  );
}

// The server answers the event by setting the value of a reference: a secret goes that way without entering any state.
function useHanded(what, name, event) {
  const waiting = useRef([]);
  useEffect(() => {
    const key = `ref_${what}_${name.replace(".", "_")}`;
    refs[key] = {
      current: {
        set value(text) {
          waiting.current.splice(0).forEach((resolve) => resolve(text));
        },
      },
    };
    return () => delete refs[key];
  }, [what, name]);
  return () =>
    new Promise((resolve) => {
      waiting.current.push(resolve);
      event(name);
    });
}

function Default({ field, language, labels, reset }) {
  const value = withUnit(read(field.default_text, field, labels), field, language);
  return h(
    "p",
    { className: "setting-note" },
    h("span", null, fill(labels.default, value)),
    h(
      "button",
      { type: "button", className: "button quiet small-text", "aria-label": `${labels.reset}: ${field.title[language]}`, onClick: reset },
      h(RotateCcw, { size: 13, "aria-hidden": true }),
      labels.reset,
    ),
  );
}

function Dot({ label }) {
  return h("span", { className: "dot", title: label }, h("span", { className: "visually-hidden" }, label));
}

function IconButton({ icon, label, onClick }) {
  const props = { type: "button", className: "button quiet icon small", "aria-label": label, title: label, onClick };
  return h("button", props, h(icon, { size: 15, "aria-hidden": true }));
}

// A value in a sentence.
function read(text, field, labels) {
  if (field.kind === "bool") return text === "true" ? labels.on : labels.off;
  return text === "" ? labels.empty : text.replaceAll("\n", ", ");
}

const withUnit = (text, field, language) => (field.unit[language] ? `${text} ${field.unit[language]}` : text);

export const fill = (label, value) => label.replace("{value}", () => value);
