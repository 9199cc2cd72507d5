// Trying again what broke, for as long as it is wanted.

const PAUSES_MS = [500, 1500, 4000];
const UNKNOWN_TASK = 404; // of a server that was started anew, say: it gets a new one

// Try until nobody wants it any more. `attempt` ends when the connection breaks, and calls back when it got something:
// then the pauses begin anew. Throws what the last attempt threw, or what the server refuses for good.
export async function persist(attempt, isWanted, pausesMs = PAUSES_MS) {
  for (let failures = 0; ; failures += 1) {
    let broken;
    await attempt(() => (failures = 0)).catch((error) => (broken = error));
    if (!isWanted()) return;
    if (isRefused(broken) || failures >= pausesMs.length) throw broken ?? new Error("");
    await pause(pausesMs[failures]);
    if (!isWanted()) return;
  }
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isRefused(error) {
  return error?.status >= 400 && error.status < 500 && error.status !== UNKNOWN_TASK;
}
