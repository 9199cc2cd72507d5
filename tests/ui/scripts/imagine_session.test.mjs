// Runs that are begun, begun anew and ended together.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "../../../grok_app/ui/components/imagine_session.js";

const turn = () => new Promise(setImmediate);

// A session with a server: each drawing stays open until its task is stopped, or its signal says so.
function served({ refuses } = {}) {
  const open = new Map();
  const told = { pictures: [], ended: [], setbacks: [], failures: [] };
  let count = 0;
  const draw = (wish, { signal, onTask, onOpen, onEvent }) =>
    new Promise((resolve, reject) => {
      const id = `run-${(count += 1)}`;
      onTask(id);
      if (refuses?.(count)) return reject(Object.assign(new Error("At most 2 runs"), { status: 429 }));
      open.set(id, { wish, onEvent, end: () => (open.delete(id), resolve()) });
      signal.addEventListener("abort", () => open.get(id)?.end());
      onOpen(wish.transport ?? "WS");
      onEvent({ type: "status", status: "running", run_id: id });
    });
  const stopTasks = async (ids) => ids.forEach((id) => open.get(id)?.end());
  const session = new Session({
    draw,
    stopTasks,
    onPicture: (event) => told.pictures.push(event.image_id),
    onRunEnd: (id) => told.ended.push(id),
    onSetback: (message) => told.setbacks.push(message),
    onFailure: (error) => told.failures.push(error.message),
    onFallBack: () => undefined,
  });
  return { session, open, told };
}

const order = (fields) => ({ wish: { prompt: "A red teapot" }, mode: "auto", runs: 2, ...fields });

test("as many runs as are wanted draw at once", async () => {
  const { session, open } = served();
  assert.equal(session.status().state, "idle");
  const started = session.start(order());
  assert.equal(session.status().state, "connecting");
  await started;
  await turn();
  assert.deepEqual(session.status(), { state: "running", activeRuns: 2, transport: "WS" });
  assert.equal(open.size, 2);
});

test("pictures and setbacks are handed on, and a run goes on after a setback", async () => {
  const { session, open, told } = served();
  await session.start(order({ runs: 1 }));
  const [{ onEvent }] = open.values();
  onEvent({ type: "error", message: "No account is free" });
  onEvent({ type: "image_generation.completed", image_id: "a" });
  assert.deepEqual([told.setbacks, told.pictures, open.size], [["No account is free"], ["a"], 1]);
});

test("stopping ends every stream, and says which runs have ended", async () => {
  const { session, open, told } = served();
  await session.start(order());
  const stopped = session.stop();
  assert.equal(session.status().state, "stopping");
  await stopped;
  assert.deepEqual([session.status().state, session.status().activeRuns, open.size], ["stopped", 0, 0]);
  assert.deepEqual([told.ended, told.failures], [["run-1", "run-2"], []]);
});

test("another order begins anew, and of several at once the last counts", async () => {
  const { session, open } = served();
  await session.start(order());
  await Promise.all([3, 1, 2].map((runs) => session.start(order({ runs, wish: { prompt: `${runs}` } }))));
  assert.deepEqual([...open.values()].map(({ wish }) => wish.prompt), ["2", "2"]);
});

test("a stop while it begins anew is the last word", async () => {
  const { session, open } = served();
  await session.start(order());
  await Promise.all([session.start(order({ runs: 3 })), session.stop()]);
  assert.deepEqual([session.status().state, open.size], ["stopped", 0]);
});

test("a run that is refused says why, and the others go on", async () => {
  const { session, told } = served({ refuses: (number) => number === 2 });
  await session.start(order());
  await turn();
  assert.deepEqual(told.failures, ["At most 2 runs"]);
  assert.deepEqual([session.status().state, session.status().activeRuns], ["running", 1]);
});

test("when every run is refused the session has failed, and can be begun again", async () => {
  const { session } = served({ refuses: (number) => number <= 2 });
  await session.start(order());
  await turn();
  assert.equal(session.status().state, "failed");
  await session.start(order());
  await turn();
  assert.equal(session.status().state, "running");
});

test("a stream that breaks is opened again", async () => {
  const { session, open } = served();
  await session.start(order({ runs: 1 }));
  open.get("run-1").end();
  await turn();
  assert.equal(session.status().state, "connecting");
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.deepEqual([session.status().state, [...open.keys()]], ["running", ["run-2"]]);
});

test("leaving closes everything at once", async () => {
  const { session, open } = served();
  await session.start(order());
  session.leave();
  assert.deepEqual([session.status().state, open.size], ["stopped", 0]);
});
