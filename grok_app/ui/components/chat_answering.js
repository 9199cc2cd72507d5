// The conversation of one tab and the answer that is being written, for React to subscribe to. Needs no browser.
import { grown, newId, newTurn, requestOf, titleOf } from "./chat_conversation.js";

const KEEP_EVERY_MS = 1_000;
const CHARS_PER_MS = 500; // that Markdown is rendered at least: a long answer is shown less often, so the page stays smooth
const END = "[DONE]";

export class Chatting {
  #shelf;
  #stream;
  #frame;
  #addressesOf;
  #listeners = new Set();
  #run = null;
  #isFrameDue = false;
  #shownMs = 0;
  #state = { serial: 0, conversation: null, turns: [], isAnswering: false };
  onFail = () => {};

  // `stream(body, signal)` gives the events of an answer, `shelf` keeps what is said, `addressesOf(pictures)` reads
  // pictures as data URIs, and `frame` calls before the browser paints.
  constructor({ stream, shelf, addressesOf, frame = (paint) => requestAnimationFrame(paint) }) {
    this.#stream = stream;
    this.#shelf = shelf;
    this.#addressesOf = addressesOf;
    this.#frame = frame;
  }

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  // Another object whenever something has changed.
  snapshot = () => this.#state;

  // `turns` of a conversation that is kept, or none of a new one.
  open(conversation = null, turns = []) {
    this.stop();
    this.#show({ serial: this.#state.serial + 1, conversation, turns });
  }

  // The same conversation, as another tab has left it.
  refresh(turns) {
    if (!this.#run) this.#show({ turns });
  }

  ask(question, pictures, choice) {
    if (this.#run) return;
    const conversation = this.#state.conversation ?? { id: newId(), title: titleOf(question) };
    this.#answer(conversation, this.#state.turns, newTurn(question, pictures, choice.model), choice);
  }

  // Ask the last question again, in place of its answer.
  retry(choice) {
    const last = this.#state.turns.at(-1);
    if (this.#run || !last) return;
    const turn = { ...newTurn(last.question, last.pictures, choice.model), id: last.id };
    this.#answer(this.#state.conversation, this.#state.turns.slice(0, -1), turn, choice);
  }

  // What has been read stays. Needs no time of the page, which may be about to go.
  stop = () => {
    const run = this.#run;
    if (!run) return;
    this.#end(run, "stopped");
    run.controller.abort();
  };

  // As if it had never been: nothing of it is kept from now on.
  drop() {
    const run = this.#run;
    this.#run = null;
    run?.controller.abort();
    this.open();
  }

  async #answer(conversation, earlier, turn, choice) {
    const run = { conversation, turn, controller: new AbortController() };
    this.#run = run;
    this.#show({ conversation, turns: [...earlier, turn], isAnswering: true });
    this.#shelf.begin(conversation, turn);
    const beat = setInterval(() => this.#shelf.keep(conversation, run.turn), KEEP_EVERY_MS);
    try {
      await this.#read(run, [...earlier, turn], choice);
      this.#end(run, "done");
    } catch (error) {
      this.#end(run, "failed", error.message);
    } finally {
      clearInterval(beat);
    }
  }

  async #read(run, turns, choice) {
    const addresses = await this.#addressesOf(turns.flatMap(({ pictures }) => pictures));
    const { signal } = run.controller;
    signal.throwIfAborted();
    for await (const { data } of this.#stream(requestOf(turns, choice, addresses), signal)) {
      if (data === END) return;
      if (this.#run !== run) return;
      run.turn = grown(run.turn, data);
      this.#grow(run);
    }
    throw new Error(""); // whole answers say that they end
  }

  #grow(run) {
    if (this.#isFrameDue) return;
    this.#isFrameDue = true;
    this.#frame(() => {
      this.#isFrameDue = false;
      if (this.#run !== run) return;
      const chars = run.turn.thinking.length + run.turn.answer.length;
      if (performance.now() - this.#shownMs < chars / CHARS_PER_MS) this.#grow(run);
      else this.#showTurn(run.turn);
    });
  }

  #end(run, state, error = "") {
    if (this.#run !== run) return;
    this.#run = null;
    run.turn = { ...run.turn, state, error };
    this.#showTurn(run.turn);
    this.#shelf.end(run.conversation, run.turn);
    if (state === "failed") this.onFail(error);
  }

  #showTurn(turn) {
    this.#shownMs = performance.now();
    this.#show({ turns: [...this.#state.turns.slice(0, -1), turn] });
  }

  #show(news) {
    this.#state = { ...this.#state, ...news, isAnswering: this.#run !== null };
    for (const listener of this.#listeners) listener();
  }
}
