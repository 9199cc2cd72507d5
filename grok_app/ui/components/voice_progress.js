// Where a voice session stands, as the page shows it, and what each event of a session makes of that.
import { withLine } from "./voice_transcript.js";

const LONGEST_LOG = 200;
const RUNNING = new Set(["microphone", "token", "connecting", "connected", "reconnecting"]);
const SILENT = { microphone: null, voice: null, isMuted: false, isSoundBlocked: false };

export const IDLE = {
  state: "idle",
  choices: null, // what the session was asked for
  server: "",
  connectedAt: 0,
  failure: null,
  lines: [],
  log: [],
  ...SILENT,
};

export function isRunning({ state }) {
  return RUNNING.has(state);
}

export function next(progress, { type, ...news }) {
  switch (type) {
    case "started":
      return { ...IDLE, log: progress.log, state: "microphone", choices: news.choices };
    case "logged":
      return { ...progress, log: [...progress.log, { ...news, id: (progress.log.at(-1)?.id ?? 0) + 1 }].slice(-LONGEST_LOG) };
    case "said":
      return { ...progress, lines: withLine(progress.lines, news.line) };
    case "ended":
      return { ...progress, ...SILENT, state: news.failure ? "failed" : "idle", failure: news.failure };
    default: // "changed": any of the values
      return { ...progress, ...news };
  }
}
