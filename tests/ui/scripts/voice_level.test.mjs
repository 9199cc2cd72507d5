// How loud a sound looks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loudness } from "../../../grok_app/ui/components/voice_level.js";

function tone(amplitude) {
  return Float32Array.from({ length: 1024 }, (_, index) => index % 2 ? amplitude : -amplitude);
}

test("silence is nothing, and the loudest is all", () => {
  assert.equal(loudness(new Float32Array(1024)), 0);
  assert.equal(loudness(tone(1)), 1);
  assert.equal(loudness(tone(2)), 1);
});

test("half of the way is 30 decibels", () => {
  assert.ok(Math.abs(loudness(tone(10 ** -1.5)) - 0.5) < 0.01);
});
