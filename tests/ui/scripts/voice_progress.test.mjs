// Where a voice session stands.
import assert from "node:assert/strict";
import { test } from "node:test";
import { IDLE, isRunning, next } from "../../../grok_app/ui/components/voice_progress.js";

const CHOICES = { voice: "ara", personality: "assistant", speed: "1" };

test("a session runs from its start to its end", () => {
  const started = next(IDLE, { type: "started", choices: CHOICES });
  assert.deepEqual([isRunning(IDLE), isRunning(started), started.choices], [false, true, CHOICES]);
  const failed = next(started, { type: "ended", failure: { label: "failure_lost", values: {} } });
  assert.deepEqual([isRunning(failed), failed.state, failed.failure.label], [false, "failed", "failure_lost"]);
  assert.equal(next(started, { type: "ended", failure: null }).state, "idle");
});

test("at the end nothing is heard any more, and the words stay", () => {
  const line = { id: "a", speaker: "grok", text: "Hello", isFinal: true, way: "stream" };
  const events = [
    { type: "changed", state: "connected", microphone: {}, voice: {}, isMuted: true, isSoundBlocked: true },
    { type: "said", line },
    { type: "ended", failure: null },
  ];
  const { microphone, voice, isMuted, isSoundBlocked, lines } = events.reduce(next, IDLE);
  assert.deepEqual({ microphone, voice, isMuted, isSoundBlocked }, { microphone: null, voice: null, isMuted: false, isSoundBlocked: false });
  assert.deepEqual(lines, [line]);
});

test("a new session forgets the old one's words and failure, and keeps its log", () => {
  const old = { ...IDLE, state: "failed", failure: {}, lines: [{}], log: [{ id: 1 }] };
  const { failure, lines, log } = next(old, { type: "started", choices: CHOICES });
  assert.deepEqual([failure, lines, log], [null, [], [{ id: 1 }]]);
});

test("the log keeps its last 200 lines, each with a number of its own", () => {
  let progress = IDLE;
  for (let at = 1; at <= 205; at++) progress = next(progress, { type: "logged", label: "log_voice", values: {}, at });
  assert.equal(progress.log.length, 200);
  assert.deepEqual([progress.log[0].id, progress.log.at(-1).id], [6, 205]);
});
