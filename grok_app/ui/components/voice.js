// The voice page: a LiveKit session with the microphone. Its words and levels go past Reflex's state.
import { createElement as h, useEffect, useReducer, useRef, useState } from "react";
import { toast } from "sonner";
import { ask } from "./public_api.js";
import { Facts, Log, TokenPanel, Words } from "./voice_panels.js";
import { IDLE, isRunning, next } from "./voice_progress.js";
import { VoiceSession } from "./voice_session.js";
import { Stage } from "./voice_stage.js";
import { fill } from "./wording.js";

const loadLiveKit = () => import("livekit-client"); // half a megabyte that only a session needs

// The children are the choices, which hold still while a session runs on them.
export function Voice({ labels, voice, personality, speed, children }) {
  const choices = { voice, personality, speed };
  const session = useSession(labels);
  const { progress } = session;
  const isBusy = isRunning(progress);
  return h(
    "div",
    { className: "voice-page" },
    h(Stage, { labels, ...session, isBusy, start: () => session.start(choices) }),
    h(
      "aside",
      { className: "voice-side" },
      h("fieldset", { className: "voice-panel voice-choices", disabled: isBusy, "aria-label": labels.choices }, children),
      h(Facts, { labels, progress, choices: isBusy ? progress.choices : choices }),
      h(TokenPanel, { labels, fetchToken: () => askForToken(choices) }),
    ),
    h(
      "div",
      { className: "voice-records" },
      h(Words, { labels, progress }),
      h(Log, { labels, log: progress.log, clear: session.clearLog }),
    ),
  );
}

// How fast is spoken. What the server hasn't heard of yet is shown already.
export function SpeedRange({ label, value, least, most, step, onChoose }) {
  const [draft, setDraft] = useState(null);
  useEffect(() => setDraft((kept) => (kept === value ? null : kept)), [value]);
  const shown = draft ?? value;
  const choose = ({ target }) => {
    setDraft(target.value);
    onChoose(target.value);
  };
  return h(
    "label",
    { className: "voice-speed" },
    h("span", null, label),
    h("output", { htmlFor: "speed" }, `${shown}×`),
    h("input", {
      type: "range",
      id: "speed",
      min: least,
      max: most,
      step,
      value: shown,
      "aria-label": label,
      "aria-valuetext": `${shown}×`,
      onChange: choose,
    }),
  );
}

function useSession(labels) {
  const [progress, dispatch] = useReducer(next, IDLE);
  const current = useRef(null);
  useEffect(() => {
    const hangUp = () => current.current?.stop();
    addEventListener("pagehide", hangUp);
    return () => {
      removeEventListener("pagehide", hangUp);
      hangUp();
    };
  }, []);
  useOutcome(progress, labels);
  const start = (choices) => {
    current.current = new VoiceSession({ askForToken, loadLiveKit, onEvent: dispatch });
    current.current.start(choices);
  };
  const stop = () => {
    current.current.stop();
    toast.success(labels.ended);
  };
  const clearLog = () => {
    const { log } = progress;
    dispatch({ type: "changed", log: [] });
    const undo = { label: labels.undo, onClick: () => dispatch({ type: "changed", log }) };
    toast.success(labels.log_cleared, { action: undo });
  };
  return {
    progress,
    start,
    stop,
    clearLog,
    setMuted: (isMuted) => current.current.setMuted(isMuted).catch(complain),
    allowSound: () => current.current.allowSound().catch(complain),
  };
}

function useOutcome({ state, failure, connectedAt }, labels) {
  useEffect(() => {
    if (connectedAt) toast.success(labels.log_connected);
  }, [connectedAt]);
  useEffect(() => {
    if (state === "failed") toast.error(fill(labels[failure.label], failure.values));
  }, [state, failure]);
}

function complain(error) {
  toast.error(error.message);
}

function askForToken({ voice, personality, speed }, signal) {
  return ask("voice/token", { body: { voice, personality, speed: Number(speed) }, signal });
}
