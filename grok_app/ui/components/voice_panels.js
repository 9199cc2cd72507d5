// What stands beside a voice session: what runs, the words, the log, the token for those who look for a fault.
import { createElement as h, useState } from "react";
import { Eye, EyeOff, KeyRound, Trash2 } from "lucide-react";
import { toast } from "sonner";
import { CopyButton } from "./copying.js";
import { tokenFailure } from "./voice_failures.js";
import { fill } from "./wording.js";

const MASK = "•".repeat(24);
const UNKNOWN = "–";

export function Facts({ labels, progress, choices }) {
  const facts = {
    state: labels[`state_${progress.state}`],
    voice: choices.voice,
    personality: labels[`personality_${choices.personality}`],
    speed: `${choices.speed}×`,
    server: progress.server || UNKNOWN,
  };
  return h(
    "section",
    { className: "voice-panel voice-facts", "aria-label": labels.facts },
    h(Definitions, { labels, facts }),
  );
}

export function Words({ labels, progress: { lines } }) {
  const line = ({ id, speaker, text, isFinal }) =>
    h("p", { key: id, className: `of-${speaker}`, "data-final": isFinal }, h("b", null, labels[`speaker_${speaker}`]), text);
  return h(
    "section",
    { className: "voice-panel", id: "words" },
    h("div", { className: "voice-head" }, h("h2", null, labels.words)),
    lines.length === 0
      ? h("p", { className: "voice-empty" }, labels.words_empty)
      : h(Growing, { label: labels.words }, h("div", { className: "voice-words" }, lines.map(line))),
  );
}

export function Log({ labels, log, clear }) {
  const say = ({ label, values }) => fill(labels[label], values);
  const line = (entry) =>
    h("li", { key: entry.id }, h("time", null, new Date(entry.at).toLocaleTimeString("en-GB")), h("span", null, say(entry)));
  const asText = () => log.map((entry) => `${new Date(entry.at).toISOString()} ${say(entry)}`).join("\n");
  return h(
    "section",
    { className: "voice-panel", id: "session-log" },
    h(
      "div",
      { className: "voice-head" },
      h("h2", null, labels.log),
      log.length > 0 && h(CopyButton, { source: asText, copyLabel: labels.log_copy, copiedLabel: labels.copied }),
      log.length > 0 && h(SmallButton, { icon: Trash2, label: labels.log_clear, onClick: clear }),
    ),
    log.length === 0
      ? h("p", { className: "voice-empty" }, labels.log_empty)
      : h(Growing, { label: labels.log }, h("ol", { className: "voice-log" }, log.map(line))),
  );
}

// `fetchToken` promises what the public API gives.
export function TokenPanel({ labels, fetchToken }) {
  const [pass, setPass] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const fetchIt = async () => {
    setBusy(true);
    setPass(null);
    try {
      setPass(await fetchToken());
      toast.success(labels.token_fetched);
    } catch (error) {
      const { label, values } = tokenFailure(error);
      toast.error(fill(labels[label], values));
    }
    setBusy(false);
  };
  return h(
    "section",
    { className: "voice-panel voice-token" },
    h(
      "button",
      { type: "button", id: "fetch-token", className: "button", disabled: isBusy, onClick: fetchIt },
      h(KeyRound, { size: 16, "aria-hidden": true }),
      labels.token_fetch,
    ),
    pass ? h(Pass, { labels, pass }) : h("p", { className: "voice-empty" }, labels.token_hint),
  );
}

function Pass({ labels, pass }) {
  const [isShown, setShown] = useState(false);
  const toggle = () => setShown(!isShown);
  const facts = {
    url: pass.url,
    participant: pass.participant_name || UNKNOWN,
    room: pass.room_name || UNKNOWN,
  };
  return h(
    "div",
    null,
    h(
      "div",
      { className: "voice-secret" },
      h("code", { id: "voice-token", tabIndex: 0 }, isShown ? pass.token : MASK),
      h(SmallButton, { icon: isShown ? EyeOff : Eye, label: isShown ? labels.token_hide : labels.token_show, onClick: toggle }),
      h(CopyButton, { source: pass.token, copyLabel: labels.token_copy, copiedLabel: labels.copied }),
    ),
    h(Definitions, { labels, facts }),
  );
}

// What is added is at its end, and its end is in sight: the style sheet says so.
function Growing({ label, children }) {
  return h("div", { className: "voice-growing", role: "log", "aria-label": label, tabIndex: 0 }, children);
}

function Definitions({ labels, facts }) {
  const entries = Object.entries(facts);
  return h(
    "dl",
    null,
    entries.map(([name, value]) => h("div", { key: name }, h("dt", null, labels[`fact_${name}`]), h("dd", { id: `fact-${name}` }, value))),
  );
}

function SmallButton({ icon, label, onClick }) {
  return h(
    "button",
    { type: "button", className: "button quiet icon small", "aria-label": label, title: label, onClick },
    h(icon, { size: 15, "aria-hidden": true }),
  );
}
