// The conversation of one tab, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Chatting } from "../../../grok_app/ui/components/chat_answering.js";

const CHOICE = { model: "grok-4", effort: "auto" };
const DONE = { data: "[DONE]" };
const CUT = null;
const says = (content) => ({ data: JSON.stringify({ choices: [{ delta: { content } }] }) });

// A chat, what its server was asked, what was kept, and a way to let the server say the next thing.
function started(t, { frame = (paint) => paint() } = {}) {
  const asked = [];
  const kept = [];
  const waiting = [];
  const events = [];
  async function* stream(body, signal) {
    asked.push({ body, signal });
    const ended = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    ended.catch(() => {});
    for (;;) {
      while (!events.length) await Promise.race([new Promise((resolve) => waiting.push(resolve)), ended]);
      const event = events.shift();
      if (event instanceof Error) throw event;
      if (event === CUT) return;
      yield event;
    }
  }
  const shelf = {
    begin: (conversation, turn) => kept.push(["begin", conversation.title, turn.question]),
    keep: () => {},
    end: (_, turn) => kept.push(["end", turn.state, turn.answer]),
  };
  const chatting = new Chatting({ stream, shelf, addressesOf: async () => new Map(), frame });
  t.after(() => chatting.drop()); // an answer that is still awaited would keep the process
  const send = async (...news) => {
    events.push(...news);
    waiting.splice(0).forEach((resolve) => resolve());
    await new Promise(setImmediate);
  };
  return { chatting, asked, kept, send, failures: collect(chatting) };
}

function collect(chatting) {
  const failures = [];
  chatting.onFail = (message) => failures.push(message);
  return failures;
}

async function ask({ chatting, send }, question, ...answer) {
  chatting.ask(question, [], CHOICE);
  await send(...answer);
}

const shown = ({ chatting }) => chatting.snapshot().turns.map(({ question, answer, state }) => [question, answer, state]);

test("an answer grows, ends and is kept", async (t) => {
  const chat = started(t);
  await ask(chat, "ping", says("po"));
  assert.deepEqual([shown(chat), chat.chatting.snapshot().isAnswering], [[["ping", "po", "open"]], true]);
  await chat.send(says("ng"), DONE);
  assert.deepEqual([shown(chat), chat.chatting.snapshot().isAnswering], [[["ping", "pong", "done"]], false]);
  assert.deepEqual(chat.kept, [["begin", "ping", "ping"], ["end", "done", "pong"]]);
});

test("only the turn that grows is another object", async (t) => {
  const chat = started(t);
  await ask(chat, "one", says("1"), DONE);
  const [first] = chat.chatting.snapshot().turns;
  await ask(chat, "two", says("2"));
  assert.equal(chat.chatting.snapshot().turns[0], first);
});

test("what comes between two frames is shown at once", async (t) => {
  const frames = [];
  const chat = started(t, { frame: (paint) => frames.push(paint) });
  let changes = 0;
  chat.chatting.subscribe(() => (changes += 1));
  await ask(chat, "ping", says("a"), says("b"), says("c"));
  assert.deepEqual([changes, frames.length], [1, 1]); // the question
  frames.shift()();
  assert.deepEqual([changes, shown(chat)], [2, [["ping", "abc", "open"]]]);
});

test("stopping keeps what was read, ends the stream and lets the next question go", async (t) => {
  const chat = started(t);
  await ask(chat, "ping", says("po"));
  chat.chatting.stop();
  assert.deepEqual(chat.kept.at(-1), ["end", "stopped", "po"]); // at once: the page may be gone
  assert.ok(chat.asked[0].signal.aborted);
  await ask(chat, "more", says("2"), DONE);
  assert.deepEqual(shown(chat), [["ping", "po", "stopped"], ["more", "2", "done"]]);
  assert.deepEqual(chat.asked[1].body.messages.map(({ content }) => content), ["ping", "po", "more"]);
  assert.deepEqual(chat.failures, []);
});

test("one answer at a time", async (t) => {
  const chat = started(t);
  await ask(chat, "one", says("1"));
  await ask(chat, "two");
  chat.chatting.retry(CHOICE);
  assert.deepEqual([shown(chat), chat.asked.length], [[["one", "1", "open"]], 1]);
});

test("a failure stays with its turn until it is tried again in its place", async (t) => {
  const chat = started(t);
  await ask(chat, "ping", says("po"), new Error("Too many requests"));
  assert.deepEqual([shown(chat), chat.failures], [[["ping", "po", "failed"]], ["Too many requests"]]);
  const { id, error } = chat.chatting.snapshot().turns[0];
  assert.equal(error, "Too many requests");
  chat.chatting.retry(CHOICE);
  await chat.send(says("pong"), DONE);
  assert.deepEqual(shown(chat), [["ping", "pong", "done"]]);
  assert.equal(chat.chatting.snapshot().turns[0].id, id);
  assert.deepEqual(chat.asked[1].body.messages, [{ role: "user", content: "ping" }]);
});

test("an answer that ends without saying so has failed", async (t) => {
  const chat = started(t);
  await ask(chat, "ping", says("po"), CUT);
  assert.deepEqual([shown(chat), chat.failures], [[["ping", "po", "failed"]], [""]]);
});

test("opening another conversation stops the answer of this one", async (t) => {
  const chat = started(t);
  await ask(chat, "ping", says("po"));
  chat.chatting.open({ id: "other", title: "Other" }, []);
  await chat.send(says("ng"), DONE);
  assert.deepEqual([shown(chat), chat.kept.at(-1)], [[], ["end", "stopped", "po"]]);
});

test("what is dropped is not kept", async (t) => {
  const chat = started(t);
  await ask(chat, "ping", says("po"));
  chat.chatting.drop();
  await chat.send(says("ng"), DONE);
  assert.deepEqual([shown(chat), chat.kept.length, chat.failures], [[], 1, []]);
});

test("what another tab has added is shown, but not into an answer", async (t) => {
  const chat = started(t);
  await ask(chat, "one", says("1"));
  chat.chatting.refresh([]);
  assert.equal(shown(chat).length, 1);
  await chat.send(DONE);
  chat.chatting.refresh([...chat.chatting.snapshot().turns, { question: "two", answer: "2", state: "done" }]);
  assert.deepEqual(shown(chat), [["one", "1", "done"], ["two", "2", "done"]]);
});
