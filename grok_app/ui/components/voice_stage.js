// Where a voice session is begun, seen and ended.
import { createElement as h, useEffect, useRef, useState } from "react";
import { Mic, MicOff, PhoneOff, Volume2 } from "lucide-react";
import { atFirstClick } from "./presses.js";
import { followLevel } from "./voice_level.js";
import { elapsed, fill } from "./wording.js";

const SECOND_MS = 1000;

export function Stage({ labels, progress, isBusy, start, stop, setMuted, allowSound }) {
  const stage = useRef(null);
  const { state, failure, isMuted, microphone, voice } = progress;
  return h(
    "section",
    { ref: stage, className: "voice-stage", "data-state": state },
    h(
      "div",
      { className: "voice-orb", "aria-hidden": true },
      h("span", { className: "voice-halo" }),
      h("span", { className: "voice-ring" }),
      h("span", { className: "voice-ball" }, h(isMuted ? MicOff : Mic, { size: 40, strokeWidth: 1.5 })),
    ),
    h(
      "div",
      { className: "voice-state", role: "status" },
      h("h1", null, state === "idle" ? labels.title : labels[`state_${state}`]),
      state === "connected" && h(Duration, { since: progress.connectedAt }),
    ),
    h("p", { className: "voice-lead" }, failure ? null : labels[`lead_${state}`]),
    failure && h("p", { className: "voice-failure", role: "alert" }, fill(labels[failure.label], failure.values)),
    h("div", { className: "voice-actions" }, ...actions({ labels, progress, isBusy, start, stop, setMuted, allowSound })),
    h(
      "div",
      { className: "voice-meters" },
      h(Meter, { label: labels.your_level, name: "you", track: microphone, stage }),
      h(Meter, { label: labels.grok_level, name: "grok", track: voice, stage }),
    ),
  );
}

function actions({ labels, progress, isBusy, start, stop, setMuted, allowSound }) {
  const { state, isMuted, isSoundBlocked } = progress;
  if (!isBusy) return [h(Action, { id: "start", icon: Mic, label: labels.start, onClick: start, className: "button primary" })];
  const shown = [h(Action, { id: "stop", icon: PhoneOff, label: labels.stop, onClick: atFirstClick(stop), className: "button danger" })];
  const mute = { icon: isMuted ? Mic : MicOff, label: isMuted ? labels.unmute : labels.mute, className: "button" };
  if (state === "connected") shown.unshift(h(Action, { id: "mute", ...mute, onClick: () => setMuted(!isMuted) }));
  const sound = { icon: Volume2, label: labels.allow_sound, className: "button primary" };
  if (isSoundBlocked) shown.unshift(h(Action, { id: "allow-sound", ...sound, onClick: allowSound }));
  return shown;
}

function Action({ id, icon, label, onClick, className }) {
  return h("button", { type: "button", id, className, onClick }, h(icon, { size: 17, "aria-hidden": true }), label);
}

// Its level is written on the elements themselves, past React: it changes with every frame. The orb has it from the stage.
function Meter({ label, name, track, stage }) {
  const meter = useRef(null);
  useEffect(() => {
    if (!track) return undefined;
    return followLevel(track, (level) => {
      stage.current?.style.setProperty(`--${name}`, level.toFixed(3));
      meter.current?.setAttribute("aria-valuenow", Math.round(level * 100));
    });
  }, [track, name, stage]);
  return h(
    "div",
    { className: `voice-meter of-${name}` },
    h("span", null, label),
    h(
      "div",
      { ref: meter, role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0 },
      h("div", { className: "voice-bar" }),
    ),
  );
}

function Duration({ since }) {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND_MS);
    return () => clearInterval(timer);
  }, []);
  return h("span", { className: "voice-duration", role: "timer" }, elapsed(Math.max(0, now - since)));
}
