// What a conversation is, asks for and is written down as.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  asJson,
  asMarkdown,
  fileName,
  grown,
  newId,
  newTurn,
  picturesOf,
  requestOf,
  titleOf,
} from "../../../grok_app/ui/components/chat_conversation.js";

const AUTO = { model: "grok-4", effort: "auto" };
const NONE = new Map();
const turn = (question, answer = "", more = {}) => ({ ...newTurn(question, [], "grok-4"), answer, ...more });
const chunk = (delta) => JSON.stringify({ choices: [{ index: 0, delta }] });

test("a turn grows with each chunk, thinking and answer apart", () => {
  const chunks = [{ role: "assistant", content: "" }, { reasoning_content: "Let me" }, { content: "Hel" }, { content: "lo" }, {}];
  const { thinking, answer, state } = chunks.map(chunk).reduce(grown, turn("ping"));
  assert.deepEqual({ thinking, answer, state }, { thinking: "Let me", answer: "Hello", state: "open" });
});

test("a chunk without a choice or a text changes nothing", () => {
  const before = turn("ping", "pong");
  for (const event of [JSON.stringify({ choices: [], usage: {} }), chunk({ content: "" }), chunk({ content: null })])
    assert.equal(grown(before, event), before);
});

test("an error within the stream is thrown with the server's sentence", () => {
  assert.throws(() => grown(turn("ping"), JSON.stringify({ error: { message: "No available tokens" } })), /^Error: No available tokens$/);
});

test("earlier questions and answers go with the next one, also what was stopped or broke off", () => {
  const turns = [turn("one", "1", { state: "stopped" }), turn("two", "2", { state: "failed" }), turn("three")];
  assert.deepEqual(requestOf(turns, AUTO, NONE), {
    model: "grok-4",
    stream: true,
    messages: [
      { role: "user", content: "one" },
      { role: "assistant", content: "1" },
      { role: "user", content: "two" },
      { role: "assistant", content: "2" },
      { role: "user", content: "three" },
    ],
  });
});

test("a question without an answer is not sent again", () => {
  const turns = [turn("one", "", { state: "failed" }), turn("two", " \n", { state: "stopped" }), turn("three")];
  assert.deepEqual(requestOf(turns, AUTO, NONE).messages, [{ role: "user", content: "three" }]);
});

test("the effort is sent when it is chosen", () => {
  assert.equal(requestOf([turn("ping")], { model: "grok-4", effort: "high" }, NONE).reasoning_effort, "high");
  assert.ok(!("reasoning_effort" in requestOf([turn("ping")], AUTO, NONE)));
});

test("pictures are parts of their question", () => {
  const pictures = [{ id: "p", name: "a.png" }];
  const addresses = new Map([["p", "data:image/png;base64,AAAA"]]);
  assert.deepEqual(requestOf([{ ...turn("What is it?"), pictures }], AUTO, addresses).messages, [
    {
      role: "user",
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
      ],
    },
  ]);
});

test("only pictures that are sent again count for the next question", () => {
  const [kept, lost] = [{ id: "kept" }, { id: "lost" }];
  assert.deepEqual(picturesOf([turn("one", "1", { pictures: [kept] }), turn("two", "", { pictures: [lost] })]), [kept]);
});

test("a title is the question's first line, cut between letters", () => {
  assert.equal(titleOf("  What\t is   it?\nAnd why?"), "What is it?");
  assert.equal(titleOf("🦉".repeat(61)), `${"🦉".repeat(60)}…`);
});

test("ids are in the order of time", () => {
  assert.ok(newId().split("-")[0] <= newId().split("-")[0]);
  assert.notEqual(newId(), newId());
});

test("Markdown has who said what, and what became of it", () => {
  const turns = [
    turn("ping", "**pong**", { state: "done", pictures: [{ id: "p", name: "a.png" }] }),
    turn("more", "No", { state: "stopped" }),
    turn("again", "", { state: "failed", error: "Too many requests" }),
  ];
  assert.equal(
    asMarkdown({ title: "ping" }, turns, { you: "You", stopped: "Stopped." }),
    [
      "# ping\n\n## You\n\nping\n\n*a.png*\n\n## grok-4\n\n**pong**",
      "## You\n\nmore\n\n## grok-4\n\nNo\n\n*Stopped.*",
      "## You\n\nagain\n\n## grok-4\n\n> Too many requests\n",
    ].join("\n\n"),
  );
});

test("JSON has everything", () => {
  const turns = [turn("ping", "pong", { thinking: "Hm", state: "done", pictures: [{ id: "p", name: "a.png" }] })];
  const text = asJson([{ title: "ping", changedMs: 0, turns }], new Map([["p", "data:image/png;base64,AAAA"]]));
  assert.deepEqual(JSON.parse(text).conversations, [
    {
      title: "ping",
      changed: "1970-01-01T00:00:00.000Z",
      turns: [
        {
          question: "ping",
          pictures: [{ name: "a.png", url: "data:image/png;base64,AAAA" }],
          model: "grok-4",
          thinking: "Hm",
          answer: "pong",
          state: "done",
          error: "",
        },
      ],
    },
  ]);
});

test("a file's name is one that every system takes", () => {
  assert.equal(fileName('a/b: "c"?', "md"), "a b c.md");
  assert.equal(fileName("..", "md"), "chat.md");
  assert.equal(fileName("京都周末行程…", "json"), "京都周末行程.json");
});
