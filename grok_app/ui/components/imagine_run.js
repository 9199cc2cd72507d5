// The stream of a task: its events over a socket, or as server-sent events.
import { pause } from "./imagine_persistence.js";
import { RefusedError, ask, events, socketAddress } from "./public_api.js";

export const NO_SOCKET = "no_socket"; // the code of an error, beside those of the server
const SOCKET_PATIENCE_MS = 1500;

/**
 * Draw a wish once, until the stream ends or breaks.
 *
 * @param {{prompt: string, aspect_ratio: string, nsfw: boolean}} wish
 * @param {object} way
 * @param {"auto"|"ws"|"sse"} way.mode
 * @param {AbortSignal} way.signal
 * @param {(taskId: string) => void} way.onTask The server has taken the wish down.
 * @param {(transport: "WS"|"SSE") => void} way.onOpen
 * @param {() => void} way.onFallBack There will be no socket.
 * @param {(event: object) => void} way.onEvent
 */
export async function draw(wish, { mode, signal, onTask, onOpen, onFallBack, onEvent }) {
  const { task_id: taskId } = await ask("imagine/start", { body: wish, signal });
  onTask(taskId);
  if (mode !== "sse") {
    const socket = await openSocket(taskId, signal);
    if (socket) return listen(socket, wish, { signal, onOpen, onEvent });
    if (signal.aborted || mode === "ws") throw new RefusedError(0, "", NO_SOCKET);
    onFallBack();
  }
  let isOpen = false;
  for await (const { data } of events(`imagine/sse?task_id=${taskId}`, { signal })) {
    if (!isOpen) onOpen("SSE");
    isOpen = true;
    onEvent(JSON.parse(data));
  }
}

export function stopTasks(taskIds) {
  return ask("imagine/stop", { body: { task_ids: taskIds } });
}

// An open socket; null when it can't be opened, or not in time.
async function openSocket(taskId, signal) {
  const socket = new WebSocket(socketAddress(`imagine/ws?task_id=${taskId}`));
  const isOpen = new Promise((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onclose = () => resolve(false);
    signal.addEventListener("abort", () => resolve(false), { once: true });
  });
  if (await Promise.race([isOpen, pause(SOCKET_PATIENCE_MS)])) return socket;
  socket.close();
  return null;
}

function listen(socket, wish, { signal, onOpen, onEvent }) {
  return new Promise((resolve, reject) => {
    let hasBegun = false;
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      // What is said before a run is why there is none; the socket would stay open for another.
      if (!hasBegun && event.type === "error") {
        reject(new RefusedError(400, event.message, event.code));
        return socket.close();
      }
      hasBegun = true;
      onEvent(event);
    };
    const leave = () => (socket.close(), resolve());
    signal.addEventListener("abort", leave);
    socket.onclose = () => (signal.removeEventListener("abort", leave), resolve());
    onOpen("WS");
    socket.send(JSON.stringify({ type: "start", ...wish }));
  });
}
