// The pictures of this page: what came of them so far, each under its own address until it is sharper or dropped.
import { decodeBase64, mediaType } from "./imagine_files.js";

/**
 * @typedef {object} Picture Never changed: a sharper one takes its place, so that only its tile is drawn anew.
 * @property {string} key Of its run and its id at the server.
 * @property {number} number From 1, in the order of coming.
 * @property {string} runId
 * @property {number} index Its place in its batch.
 * @property {string} prompt
 * @property {number} width Of its ratio, as is `height`: 2 and 3.
 * @property {number} height
 * @property {"preview"|"medium"|"final"} stage
 * @property {boolean} isLeft Its run has gone on without finishing it.
 * @property {boolean} isSharpened Another stage was there before.
 * @property {number} chars Of its base64: what the server's sizes are counted in.
 * @property {number} elapsedMs From the request of its batch.
 * @property {Blob} blob
 * @property {string} url
 */

/** @typedef {{pictures: Picture[], finished: number, averageMs: number}} Shown */

const COMPLETED = "image_generation.completed";
const EMPTY = { pictures: [], finished: 0, averageMs: 0 };
const RELEASE_MS = 1000; // by then the page shows what took its place

// Whether the auto-filter hides it: it will not get larger, and is below the size of a finished one.
export function isSmall(picture, finalMinChars) {
  return (picture.stage === "final" || picture.isLeft) && picture.chars < finalMinChars;
}

export class Pictures {
  #byKey = new Map();
  #count = 0;
  #listeners = new Set();
  #released = [];
  #isTelling = false;
  #schedule;
  #shown = EMPTY;

  // `schedule` calls back when it is time to show what has changed: with the browser's next frame.
  constructor(schedule = (tell) => requestAnimationFrame(tell)) {
    this.#schedule = schedule;
  }

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** @returns {Shown} The same object until something has changed. */
  shown = () => this.#shown;

  /** Take an event of a run; answers with its picture. `wish` is what the run draws. */
  take(event, wish) {
    const key = `${event.run_id}-${event.image_id}`;
    const before = this.#byKey.get(key);
    if (!before) this.#leave((it) => it.runId === event.run_id && it.index === event.index);
    const picture = { ...drawn(event, wish), key, number: before?.number ?? ++this.#count, isSharpened: Boolean(before) };
    this.#put(picture, before);
    return picture;
  }

  /** The run has ended: what it had begun stays as it is. */
  endRun(runId) {
    this.#leave((it) => it.runId === runId);
  }

  clear() {
    for (const { url } of this.#byKey.values()) this.#release(url);
    this.#byKey.clear();
    this.#tellSoon();
  }

  #leave(isMeant) {
    for (const picture of this.#byKey.values()) {
      if (picture.stage !== "final" && !picture.isLeft && isMeant(picture)) this.#put({ ...picture, isLeft: true }, null);
    }
  }

  #put(picture, before) {
    if (before) this.#release(before.url);
    this.#byKey.set(picture.key, picture); // a key that is there keeps its place
    this.#tellSoon();
  }

  // Not at once: the page still shows it, and would complain that it is gone.
  #release(url) {
    if (this.#released.length === 0) setTimeout(() => this.#released.splice(0).forEach(URL.revokeObjectURL), RELEASE_MS);
    this.#released.push(url);
  }

  #tellSoon() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#schedule(() => {
      this.#isTelling = false;
      this.#shown = summed([...this.#byKey.values()]);
      this.#listeners.forEach((listener) => listener());
    });
  }
}

function drawn(event, { prompt, aspect_ratio: ratio }) {
  const bytes = decodeBase64(event.b64_json);
  const blob = new Blob([bytes], { type: mediaType(bytes) });
  // The ratio is the picture's own; the event's `size` is only the one of OpenAI's sizes that stands for it.
  const [width, height] = ratio.split(":").map(Number);
  return {
    runId: event.run_id,
    index: event.index,
    prompt,
    width,
    height,
    stage: event.type === COMPLETED ? "final" : event.stage,
    isLeft: false,
    chars: event.b64_json.length,
    elapsedMs: event.elapsed_ms,
    blob,
    url: URL.createObjectURL(blob),
  };
}

function summed(pictures) {
  const finished = pictures.filter(({ stage }) => stage === "final");
  const totalMs = finished.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
  return { pictures, finished: finished.length, averageMs: finished.length ? totalMs / finished.length : 0 };
}
