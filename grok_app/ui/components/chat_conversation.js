// What a conversation is: turns, the request that they make, and how it is written down. Needs no browser.

const TITLE_CHARS = 60;

// "open" while it is answered; a turn that is found so later was cut off with its page.
export function newTurn(question, pictures, model) {
  return { id: newId(), question, pictures, model, thinking: "", answer: "", state: "open", error: "" };
}

// Sorts by time, as long as nobody asks twice within a millisecond.
export function newId() {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 12)}`;
}

// The first line of the question.
export function titleOf(question) {
  const letters = Array.from(question.trim().split("\n", 1)[0].replace(/\s+/g, " "));
  return letters.length > TITLE_CHARS ? `${letters.slice(0, TITLE_CHARS).join("").trimEnd()}…` : letters.join("");
}

// The turn with what one event of the stream says, which is a chunk of OpenAI's or an error.
export function grown(turn, event) {
  const { choices = [], error } = JSON.parse(event);
  if (error) throw new Error(error.message);
  const { reasoning_content: thought = "", content = "" } = choices[0]?.delta ?? {};
  return thought || content ? { ...turn, thinking: turn.thinking + thought, answer: turn.answer + content } : turn;
}

// What asks for the answer of the last turn. Earlier ones without an answer would be empty messages, so they stay out.
// `addresses` has the data URI of each picture by its id.
export function requestOf(turns, { model, effort }, addresses) {
  const asked = turns.filter((turn, index) => index === turns.length - 1 || isAnswered(turn));
  const messages = asked.flatMap((turn) => [questionOf(turn, addresses), { role: "assistant", content: turn.answer }]);
  const body = { model, stream: true, messages: messages.slice(0, -1) };
  return effort === "auto" ? body : { ...body, reasoning_effort: effort };
}

// The pictures that go with the next question.
export function picturesOf(turns) {
  return turns.filter(isAnswered).flatMap((turn) => turn.pictures);
}

// For reading.
export function asMarkdown({ title }, turns, labels) {
  const parts = turns.flatMap((turn) => [
    `## ${labels.you}`,
    turn.question,
    ...turn.pictures.map(({ name }) => `*${name}*`),
    `## ${turn.model}`,
    turn.answer,
    ...(turn.state === "stopped" || turn.state === "open" ? [`*${labels.stopped}*`] : []),
    ...(turn.error ? [`> ${turn.error}`] : []),
  ]);
  return `${[`# ${title}`, ...parts].filter(Boolean).join("\n\n")}\n`;
}

// For other programs: each conversation with everything that is kept of it. `addresses` as of `requestOf`.
export function asJson(conversations, addresses) {
  const written = conversations.map(({ title, changedMs, turns }) => ({
    title,
    changed: new Date(changedMs).toISOString(),
    turns: turns.map(({ id, pictures, ...turn }) => ({
      ...turn,
      pictures: pictures.map((picture) => ({ name: picture.name, url: addresses.get(picture.id) })),
    })),
  }));
  return `${JSON.stringify({ conversations: written }, null, 2)}\n`;
}

// A name that every file system takes.
export function fileName(title, ending) {
  const clean = title.replace(/[\\/:*?"<>|\p{Cc}]+/gu, " ").replace(/\s+/g, " ").trim().replace(/^\.+|[.…]+$/g, "");
  return `${clean || "chat"}.${ending}`;
}

function isAnswered(turn) {
  return turn.answer.trim() !== "";
}

function questionOf({ question, pictures }, addresses) {
  if (!pictures.length) return { role: "user", content: question };
  const shown = pictures.map(({ id }) => ({ type: "image_url", image_url: { url: addresses.get(id) } }));
  return { role: "user", content: [{ type: "text", text: question }, ...shown] };
}
