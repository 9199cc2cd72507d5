// The public API as the studio's pages call it: with the key that this browser keeps, which is in no address.
import { EventSourceParserStream } from "eventsource-parser/stream";

export const KEY = "grok_app_public_key";
export const SIGN_IN = "/login";
const API = "/v1/public/";

// What the server would not do. `message` is its own sentence, empty when it could not be reached at all.
export class RefusedError extends Error {
  constructor(status, message, code = "") {
    super(message);
    this.name = "RefusedError";
    this.status = status;
    this.code = code;
  }
}

// Ask whether a key counts.
export async function verify(key) {
  const answer = await call("verify", { key });
  await answer.text(); // an answer that nobody reads keeps its connection
}

// The answer to a question, read as JSON. With a `body` it is posted.
export async function ask(path, { body, signal } = {}) {
  const answer = await callAsVisitor(path, { body, signal });
  return answer.json();
}

// The events of a stream as they come, each `{event, data}`. Whoever stops reading ends the stream.
export async function* events(path, { body, signal } = {}) {
  const answer = await callAsVisitor(path, { body, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (let read = await next(reader, signal); !read.done; read = await next(reader, signal)) yield read.value;
  } finally {
    reader.cancel().catch(() => undefined); // it has ended already
  }
}

// Where a socket is. The id of a task in the path is its key.
export function socketAddress(path) {
  return `${location.origin.replace("http", "ws")}${API}${path}`;
}

// Whoever's key counts no longer signs in again, and comes back.
async function callAsVisitor(path, options) {
  try {
    return await call(path, { ...options, key: localStorage.getItem(KEY) });
  } catch (error) {
    if (error.status === 401) location.replace(SIGN_IN);
    throw error;
  }
}

async function call(path, { key, body, signal }) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const request = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal };
  const answer = await fetch(API + path, request).catch((error) => broken(error, signal));
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw new RefusedError(answer.status, error?.message ?? "", error?.code ?? "");
}

function next(reader, signal) {
  return reader.read().catch((error) => broken(error, signal));
}

// What the visitor ended is no failure of the connection's.
function broken(error, signal) {
  throw signal?.aborted ? error : new RefusedError(0, "");
}
