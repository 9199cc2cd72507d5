// What is being drawn just now: some runs of one wish, begun, begun anew and ended together.
import { pause, persist } from "./imagine_persistence.js";

const GOODBYE_MS = 1500; // for the server to end the streams by itself, so that others may be begun

/** @typedef {"idle"|"connecting"|"running"|"stopping"|"stopped"|"failed"} State */
/** @typedef {{state: State, activeRuns: number, transport: string}} Status `transport` is "WS", "SSE", both or "". */
/** @typedef {{wish: object, mode: "auto"|"ws"|"sse", runs: number}} Order */

export class Session {
  /** @type {Order|null} What is wanted. */
  order = null;
  #actions;
  #ending = null;
  #listeners = new Set();
  #runs = new Set();
  #status = { state: "idle", activeRuns: 0, transport: "" };

  /**
   * @param {object} actions
   * @param {Function} actions.draw Draw a wish until the stream breaks, see `imagine_run.js`.
   * @param {(taskIds: string[]) => Promise<unknown>} actions.stopTasks
   * @param {(event: object, wish: object) => void} actions.onPicture
   * @param {(runId: string) => void} actions.onRunEnd
   * @param {(message: string) => void} actions.onSetback Why nothing comes just now; the run goes on.
   * @param {(error: Error) => void} actions.onFailure Why a run has ended.
   * @param {() => void} actions.onFallBack
   */
  constructor(actions) {
    this.#actions = actions;
  }

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** @returns {Status} The same object until something has changed. */
  status = () => this.#status;

  /** Begin, or end what is being drawn and begin anew. Of several orders at once the last counts. */
  async start(order) {
    this.order = order;
    this.#tell("connecting");
    await this.#end();
    if (this.order !== order) return;
    for (let number = 0; number < order.runs; number += 1) this.#begin(order);
    this.#tell("connecting");
  }

  async stop() {
    if (!this.order) return;
    this.order = null;
    this.#tell("stopping");
    await this.#end();
    if (!this.order) this.#tell("stopped");
  }

  /** End everything at once: the page is being left. */
  leave() {
    this.order = null;
    for (const { controller } of this.#runs) controller.abort();
    this.#tell("stopped");
  }

  #begin(order) {
    const run = { controller: new AbortController(), taskId: "", transport: "", ids: new Set(), isDrawing: false };
    const isWanted = () => this.order === order;
    this.#runs.add(run);
    run.ended = persist((onProgress) => this.#draw(order, run, onProgress), isWanted)
      .catch((error) => this.#actions.onFailure(error))
      .then(() => this.#runs.delete(run))
      .then(() => isWanted() && this.#goOn());
  }

  // With the runs that are left.
  #goOn() {
    if (this.#runs.size === 0) this.order = null;
    this.#tell(this.order ? "running" : "failed");
  }

  async #draw({ wish, mode }, run, onProgress) {
    const { onFallBack } = this.#actions;
    const onTask = (taskId) => (run.taskId = taskId);
    const onOpen = (transport) => (run.transport = transport);
    const onEvent = (event) => this.#take(event, wish, run, onProgress);
    try {
      await this.#actions.draw(wish, { mode, signal: run.controller.signal, onTask, onOpen, onFallBack, onEvent });
    } finally {
      Object.assign(run, { isDrawing: false, transport: "" });
      run.ids.forEach(this.#actions.onRunEnd);
      if (this.order) this.#tell("connecting");
    }
  }

  #take(event, wish, run, onProgress) {
    if (event.type === "error") return this.#actions.onSetback(event.message);
    if (event.type !== "status") {
      onProgress();
      return this.#actions.onPicture(event, wish);
    }
    run.ids.add(event.run_id);
    run.isDrawing = event.status === "running";
    if (this.order) this.#tell("running");
  }

  // The server ends open streams, and is waited for: until then they count among those that a visitor may have.
  #end() {
    this.#ending ??= this.#endRuns([...this.#runs]).finally(() => (this.#ending = null));
    return this.#ending;
  }

  async #endRuns(runs) {
    for (const { transport, controller } of runs) if (!transport) controller.abort();
    const taskIds = runs.map(({ taskId }) => taskId).filter(Boolean);
    const streaming = runs.filter(({ transport }) => transport);
    const hasEnded = async () => {
      if (taskIds.length) await this.#actions.stopTasks(taskIds);
      await Promise.all(streaming.map(({ ended }) => ended));
    };
    // A server that can't be asked ends a stream when it is closed here.
    await Promise.race([hasEnded().catch(() => undefined), pause(GOODBYE_MS)]);
    for (const run of runs) {
      run.controller.abort();
      run.isDrawing = false;
      this.#runs.delete(run); // it may be in a pause, and has nothing to say any more
    }
  }

  #tell(state) {
    const drawing = [...this.#runs].filter(({ isDrawing }) => isDrawing);
    const transport = [...new Set(drawing.map((run) => run.transport))].sort().reverse().join(" + ");
    const isConnecting = state === "running" || state === "connecting";
    this.#status = {
      state: isConnecting ? (drawing.length ? "running" : "connecting") : state,
      activeRuns: state === "stopped" ? 0 : drawing.length,
      transport: state === "stopped" ? "" : transport,
    };
    this.#listeners.forEach((listener) => listener());
  }
}
