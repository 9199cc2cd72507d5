// Trying again what broke.
import assert from "node:assert/strict";
import { test } from "node:test";
import { persist } from "../../../grok_app/ui/components/imagine_persistence.js";

const NO_PAUSES = [0, 0, 0];
const broken = (status) => Object.assign(new Error(`broken ${status}`), { status });

// What each attempt does, and how many were made.
function attempts(...outcomes) {
  let count = 0;
  const attempt = async (onProgress) => {
    const outcome = outcomes[count++];
    if (outcome === "progress") return onProgress();
    if (outcome instanceof Error) throw outcome;
  };
  return { attempt, made: () => count };
}

test("what breaks again and again is given up with its own error", async () => {
  const { attempt, made } = attempts("", "", "", broken(503));
  await assert.rejects(persist(attempt, () => true, NO_PAUSES), /broken 503/);
  assert.equal(made(), 4);
});

test("an end without a reason is given up as well", async () => {
  await assert.rejects(persist(attempts().attempt, () => true, NO_PAUSES), { message: "" });
});

test("who has got something may break as often again", async () => {
  const { attempt, made } = attempts("", "", "progress", "", "", "", "");
  await assert.rejects(persist(attempt, () => true, NO_PAUSES));
  assert.equal(made(), 6);
});

for (const [status, times] of [[400, 1], [401, 1], [429, 1], [404, 4], [0, 4], [500, 4]]) {
  test(`a status of ${status} is tried ${times} times`, async () => {
    const { attempt, made } = attempts(...new Array(4).fill(broken(status)));
    await assert.rejects(persist(attempt, () => true, NO_PAUSES));
    assert.equal(made(), times);
  });
}

test("what nobody wants any more ends without an error", async () => {
  const { attempt, made } = attempts("", broken(0));
  await persist(attempt, () => made() < 2, NO_PAUSES);
  assert.equal(made(), 2);
});
