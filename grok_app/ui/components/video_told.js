// What the stream of a video tells, event after event: how far it is, and where the video is in the end.

export const NOTHING_TOLD = { percent: null, text: "", error: "" };
const MOST_CHARS = 200_000;
const DONE = "[DONE]";

// An address of this site, or the address that the server believes it has: only the path of the file counts, so that
// nothing is ever loaded from elsewhere. Names are as the server makes them, without a dot at their start.
const BEFORE = `(?:^|["'(\\s])(?:https?://[^\\s"'()<>?#]+?)?`;
const AFTER = `(?=$|["'()\\s<?#])`;
const VIDEO = new RegExp(`${BEFORE}(/v1/files/video/[\\w-][\\w.-]*\\.(?:mp4|webm))${AFTER}`);
const STILL = new RegExp(`${BEFORE}(/v1/files/image/[\\w-][\\w.-]*\\.(?:png|jpe?g|webp|gif))${AFTER}`);

// What is known after one more event: how many percent, the text so far, what went wrong.
export function after(told, { event, data }) {
  if (data === DONE) return told;
  const said = JSON.parse(data);
  if (event === "progress") return { ...told, percent: said.progress };
  if (said.error) return { ...told, error: said.error.message };
  const { reasoning_content: thought = "", content = "" } = said.choices?.[0]?.delta ?? {};
  return { ...told, text: (told.text + thought + content).slice(-MOST_CHARS) };
}

// The path of the video in an answer, be it a player, a link or an address; null when there is none.
export function videoIn(text) {
  return VIDEO.exec(text)?.[1] ?? null;
}

// The path of its still; null when there is none.
export function stillIn(text) {
  return STILL.exec(text)?.[1] ?? null;
}

// What is being done: `waiting`, `filming`, `finishing` or `upscaling`. Only `filming` has a number to show.
export function phaseOf({ percent, text }) {
  if (percent === null) return "waiting";
  if (percent < 100) return "filming";
  return isUpscaling(text) ? "upscaling" : "finishing";
}

// In any language: all other lines about the progress have a percentage.
function isUpscaling(text) {
  const line = text.trimEnd().split("\n").at(-1);
  return line !== "" && !line.includes("%") && !videoIn(text);
}
