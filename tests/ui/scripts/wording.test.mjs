// Texts with values in them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { elapsed, fill } from "../../../grok_app/ui/components/wording.js";

test("a text has its values, and keeps what they don't say", () => {
  assert.equal(fill("{count} of {total}, {more}", { count: 2, total: "ten" }), "2 of ten, {more}");
});

test("no value comes from what every object has", () => {
  assert.equal(fill("{constructor}", {}), "{constructor}");
});

test("a value is not looked at for others", () => {
  assert.equal(fill("{a}{b}", { a: "{b}", b: "$&" }), "{b}$&");
});

test("a time is minutes and seconds", () => {
  assert.deepEqual([0, 999, 7_000, 61_500, 3_600_000].map(elapsed), ["0:00", "0:00", "0:07", "1:01", "60:00"]);
});
