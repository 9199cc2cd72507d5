// What the stream of a video tells.
import assert from "node:assert/strict";
import { test } from "node:test";
import { after, NOTHING_TOLD, phaseOf, stillIn, videoIn } from "../../../grok_app/ui/components/video_told.js";

const PATH = "/v1/files/video/users-a1-generated_video.mp4";
const PLAYER = `<video controls poster="https://gate.example/v1/files/image/a-preview_image.jpg">
  <source src="https://gate.example${PATH}" type="video/mp4">
</video>`;

const progress = (percent) => ({ event: "progress", data: JSON.stringify({ progress: percent }) });
const delta = (words) => ({ data: JSON.stringify({ choices: [{ delta: words }] }) });
const tell = (...events) => events.reduce(after, NOTHING_TOLD);

test("the video of a player, a link and an address is found, its path alone", () => {
  for (const text of [PLAYER, `[video](http://localhost:8000${PATH})`, `https://gate.example${PATH}`, PATH]) {
    assert.equal(videoIn(`<think>\nGenerating video: 100%\n\n</think>\n${text}`), PATH);
  }
});

test("a player's still is found too, and nothing is one without", () => {
  assert.equal(stillIn(PLAYER), "/v1/files/image/a-preview_image.jpg");
  assert.equal(stillIn(`https://gate.example${PATH}`), null);
});

test("a public address may have a path before ours", () => {
  assert.equal(videoIn(`https://gate.example/grok${PATH}`), PATH);
});

test("nothing else is a video", () => {
  const texts = [
    "",
    "No video today",
    "https://elsewhere.example/film.mp4",
    `//elsewhere.example${PATH}`,
    `javascript:${PATH}`,
    `javascript:alert(1)//${PATH}`,
    `data:text/html,${PATH}`,
    `elsewhere${PATH}`,
    "/v1/files/video/../../admin.mp4",
    "/v1/files/video/..%2fadmin.mp4",
    "/v1/files/video/..mp4",
    "/v1/files/video/a/b.mp4",
    "/v1/files/video/a.svg",
    "/v1/files/video/a.mp4.html",
    "/v1/files/image/a.mp4",
  ];
  assert.deepEqual(texts.filter((text) => videoIn(text) !== null), []);
});

test("numbers and text add up, in whichever field the text comes", () => {
  const told = tell(
    delta({ role: "assistant", content: "" }),
    delta({ reasoning_content: "Generating video: 5%\n" }),
    progress(5),
    delta({ content: PATH }),
    delta({}),
    { data: JSON.stringify({ choices: [], usage: {} }) },
    { data: "[DONE]" },
  );
  assert.deepEqual(told, { percent: 5, text: `Generating video: 5%\n${PATH}`, error: "" });
});

test("an error is the server's sentence, and what was said before stays", () => {
  const told = tell(delta({ content: "So far" }), { data: JSON.stringify({ error: { message: "Moderated" } }) }, { data: "[DONE]" });
  assert.deepEqual(told, { percent: null, text: "So far", error: "Moderated" });
});

test("the end of a long text is kept", () => {
  const { text } = tell(delta({ content: "a".repeat(200_000) }), delta({ content: "the end" }));
  assert.equal(text.length, 200_000);
  assert.ok(text.endsWith("the end"));
});

test("there is a number to show only while it is filmed", () => {
  assert.equal(phaseOf(NOTHING_TOLD), "waiting");
  assert.equal(phaseOf({ percent: 0, text: "" }), "filming");
  assert.equal(phaseOf({ percent: 99, text: "" }), "filming");
  assert.equal(phaseOf({ percent: 100, text: "" }), "finishing");
});

test("at 100 %, a line without a percentage says that it is made larger", () => {
  const said = (text) => phaseOf({ percent: 100, text });
  assert.equal(said("<think>\nGenerating video: 100%\n"), "finishing");
  assert.equal(said("Generating video: 100%\nUpscaling video\n"), "upscaling");
  assert.equal(said("正在生成视频中，当前进度100%\n正在对视频进行超分辨率\n"), "upscaling");
  assert.equal(said(`Generating video: 100%\n\n</think>\n${PLAYER}`), "finishing");
});
