// The pictures of the page.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Pictures, isSmall } from "../../../grok_app/ui/components/imagine_pictures.js";

const WISH = { prompt: "A red teapot", aspect_ratio: "2:3" };
const JPEG = "/9j/4AAQSkZJRg==";

function event(id, stage, fields) {
  const type = stage === "final" ? "image_generation.completed" : "image_generation.partial_image";
  return { type, image_id: id, run_id: "run", index: 0, stage, b64_json: JPEG, elapsed_ms: 1000, ...fields };
}

// Pictures, and what shows their changes when it is called.
function fresh() {
  const frames = [];
  const pictures = new Pictures((tell) => frames.push(tell));
  return { pictures, frames, show: () => frames.splice(0).forEach((tell) => tell()) };
}

test("a picture gets sharper in its place", () => {
  const { pictures, show } = fresh();
  pictures.take(event("a", "preview"), WISH);
  pictures.take(event("b", "preview", { index: 1 }), WISH);
  pictures.take(event("a", "final"), WISH);
  show();
  const shown = pictures.shown().pictures.map(({ number, stage, isSharpened }) => [number, stage, isSharpened]);
  assert.deepEqual(shown, [[1, "final", true], [2, "preview", false]]);
});

test("the same id in another run is another picture", () => {
  const { pictures, show } = fresh();
  pictures.take(event("a", "final"), WISH);
  pictures.take(event("a", "final", { run_id: "other" }), WISH);
  show();
  assert.equal(pictures.shown().finished, 2);
});

test("many changes are shown at once, and the others stay the same objects", () => {
  const { pictures, frames, show } = fresh();
  let told = 0;
  pictures.subscribe(() => (told += 1));
  pictures.take(event("a", "final"), WISH);
  pictures.take(event("b", "preview", { index: 1 }), WISH);
  assert.equal(frames.length, 1);
  assert.deepEqual(pictures.shown().pictures, []);
  show();
  const [before] = pictures.shown().pictures;
  pictures.take(event("b", "final", { index: 1 }), WISH);
  show();
  assert.equal(pictures.shown().pictures[0], before);
  assert.equal(told, 2);
});

test("finished pictures are counted, and how long they took", () => {
  const { pictures, show } = fresh();
  pictures.take(event("a", "final", { elapsed_ms: 2000 }), WISH);
  pictures.take(event("b", "final", { index: 1, elapsed_ms: 5000 }), WISH);
  pictures.take(event("c", "medium", { index: 2, elapsed_ms: 9000 }), WISH);
  show();
  assert.deepEqual([pictures.shown().finished, pictures.shown().averageMs], [2, 3500]);
});

test("a picture is left when another takes its place in the run, or the run ends", () => {
  const { pictures, show } = fresh();
  const left = () => (show(), pictures.shown().pictures.map(({ isLeft }) => isLeft));
  pictures.take(event("a", "medium"), WISH);
  pictures.take(event("b", "medium", { index: 1 }), WISH);
  pictures.take(event("c", "preview", { run_id: "other" }), WISH);
  assert.deepEqual(left(), [false, false, false]);
  pictures.take(event("d", "final"), WISH);
  assert.deepEqual(left(), [true, false, false, false]);
  pictures.endRun("run");
  assert.deepEqual(left(), [true, true, false, false]);
});

test("what may still get larger is not small yet", () => {
  const small = { stage: "medium", isLeft: false, chars: 10 };
  const verdicts = [small, { ...small, isLeft: true }, { ...small, stage: "final" }, { ...small, stage: "final", chars: 11 }];
  assert.deepEqual(verdicts.map((picture) => isSmall(picture, 11)), [false, true, true, false]);
});

test("every address is given back: of a picture that got sharper, and of all when they are cleared", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const made = mock.method(URL, "createObjectURL");
  const released = mock.method(URL, "revokeObjectURL");
  const urls = (method) => method.mock.calls.map((call) => (method === made ? call.result : call.arguments[0])).sort();
  const { pictures, show } = fresh();
  pictures.take(event("a", "preview"), WISH);
  pictures.take(event("a", "final"), WISH);
  assert.equal(released.mock.callCount(), 0); // it may be on the page still
  mock.timers.tick(1000);
  assert.deepEqual(urls(released), [made.mock.calls[0].result]);
  pictures.clear();
  show();
  mock.timers.tick(1000);
  assert.deepEqual(urls(released), urls(made));
  assert.deepEqual(pictures.shown().pictures, []);
  mock.reset();
});
