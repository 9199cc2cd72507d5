// The conversations that this browser keeps, for all of its tabs. A turn is a row of its own, so tabs that go on with
// the same conversation lose nothing of each other's; pictures are rows too, which are written once.
import { openDB } from "idb";

const NAME = "grok_app_chat";
const STORES = ["conversations", "turns", "pictures"];

export class Conversations {
  #database = null;
  #opening = null;
  #channel = null;
  #lost = new Set(); // what could not be written when it was begun
  onChange = () => {};
  onChangeElsewhere = () => {};
  onUnkept = () => {}; // called when something could not be written

  // Whether this browser keeps anything: some don't in private windows.
  async open() {
    this.#opening = opened();
    const database = await this.#opening;
    if (!this.#opening) database?.close(); // the page was left meanwhile
    else this.#database = database;
    if (!this.#database) return false;
    this.#channel = new BroadcastChannel(NAME);
    this.#channel.onmessage = () => {
      this.onChange();
      this.onChangeElsewhere();
    };
    return true;
  }

  close() {
    this.#channel?.close();
    this.#database?.close();
    this.#channel = this.#opening = this.#database = null;
  }

  // Each `{id, title, changedMs}`, the latest first.
  async list() {
    const all = (await this.#database?.getAll("conversations")) ?? [];
    return all.sort((one, other) => other.changedMs - one.changedMs);
  }

  // Its turns, or nothing when it isn't kept.
  async read(id) {
    const transaction = this.#database?.transaction(STORES);
    if (!(await transaction?.objectStore("conversations").get(id))) return undefined;
    const turns = await transaction.objectStore("turns").getAll(within(id));
    const pictures = await transaction.objectStore("pictures").getAll(within(id));
    const blobs = new Map(pictures.map((picture) => [picture.id, picture.blob]));
    return turns.map(({ conversation, ...turn }) => ({
      ...turn,
      pictures: turn.pictures.filter(({ id }) => blobs.has(id)).map((picture) => ({ ...picture, blob: blobs.get(picture.id) })),
    }));
  }

  async begin(conversation, turn) {
    const isWritten = await this.#write((stores) => [
      stores.conversations.put({ ...conversation, changedMs: Date.now() }),
      stores.turns.put(row(conversation, turn)),
      ...turn.pictures.map(({ id, blob }) => stores.pictures.put({ conversation: conversation.id, id, blob })),
    ]).catch((error) => this.onUnkept(error));
    if (!isWritten) this.#lost.add(conversation.id);
  }

  // Whether some of it is nowhere but in this tab.
  isLost(id) {
    return this.#lost.has(id);
  }

  // The turn so far. Other tabs hear of it at its end.
  keep(conversation, turn) {
    return this.#writeTurn(conversation, turn, false);
  }

  end(conversation, turn) {
    return this.#writeTurn(conversation, turn, true);
  }

  remove(id) {
    return this.#write((stores) => [
      stores.conversations.delete(id),
      stores.turns.delete(within(id)),
      stores.pictures.delete(within(id)),
    ]);
  }

  removeAll() {
    return this.#write((stores) => STORES.map((name) => stores[name].clear()));
  }

  async #writeTurn(conversation, turn, isNews) {
    if (this.isLost(conversation.id)) return;
    await this.#write((stores) => [stores.turns.put(row(conversation, turn))], isNews).catch((error) => this.onUnkept(error));
  }

  // Requests all at once, without waiting between them: a page that is being left has no later.
  async #write(requests, isNews = true) {
    const database = this.#database ?? (await this.#opening);
    if (!database) return false;
    const transaction = database.transaction(STORES, "readwrite");
    const stores = Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)]));
    await Promise.all([...requests(stores), transaction.done]);
    if (isNews) {
      this.#channel?.postMessage("changed");
      this.onChange();
    }
    return true;
  }
}

// Nothing where the browser has no database: whatever the reason is, the chat works without.
async function opened() {
  try {
    return await openDB(NAME, 1, { upgrade: addStores, blocking: letGo });
  } catch {
    return null;
  }
}

// For a newer version of this page in another tab, which would wait for us.
function letGo(_current, _blocked, { target }) {
  target.close();
}

function addStores(database) {
  database.createObjectStore("conversations", { keyPath: "id" });
  database.createObjectStore("turns", { keyPath: ["conversation", "id"] });
  database.createObjectStore("pictures", { keyPath: ["conversation", "id"] });
}

function row(conversation, turn) {
  const pictures = turn.pictures.map(({ id, name }) => ({ id, name }));
  return { ...turn, pictures, conversation: conversation.id };
}

function within(id) {
  return IDBKeyRange.bound([id], [id, []]);
}
