// The words of a voice session, line by line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { segmentLine, streamLine, withLine } from "../../../grok_app/ui/components/voice_transcript.js";

function segment(id, text, final = true) {
  return segmentLine({ id, text, final }, "grok");
}

function stream(id, text, { isOver = false, attributes = {}, speaker = "grok" } = {}) {
  return streamLine({ id: `stream of ${id}`, attributes: { "lk.segment_id": id, ...attributes } }, text, { speaker, isOver });
}

function texts(...lines) {
  return lines.reduce(withLine, []).map(({ text }) => text);
}

test("a line is updated in its place", () => {
  assert.deepEqual(texts(segment("a", "Hel", false), segment("b", "More"), segment("a", "Hello")), ["Hello", "More"]);
});

test("a line keeps who spoke, and whether they are done", () => {
  const [line] = withLine([], stream("a", "Hi", { speaker: "you" }));
  assert.deepEqual([line.speaker, line.isFinal], ["you", false]);
  assert.equal(segment("a", "Hi", false).isFinal, false);
});

test("words that come in both ways are shown once, by the newer one", () => {
  assert.deepEqual(texts(segment("a", "Hello"), stream("b", "Hello"), segment("a", "Hello you")), ["Hello"]);
});

test("a stream without a segment goes by its own id", () => {
  assert.equal(streamLine({ id: "x" }, "Hi", { speaker: "you", isOver: true }).id, "x");
});

test("a stream is final at its end, unless it says that better words follow", () => {
  assert.equal(stream("a", "Hi", { isOver: true }).isFinal, true);
  assert.equal(stream("a", "Hi", { isOver: true, attributes: { "lk.transcription_final": "false" } }).isFinal, false);
});

test("no line begins without words", () => {
  assert.deepEqual(texts(stream("a", ""), segment("b", "")), []);
});
