// What the chat keeps in this browser, and what visitors do with it: open, save as a file, delete.
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { toast } from "sonner";
import { Chatting } from "./chat_answering.js";
import { asJson, asMarkdown, fileName } from "./chat_conversation.js";
import { Conversations } from "./chat_conversations.js";
import { addressesOf } from "./chat_attaching.js";
import { download } from "./downloading.js";
import { events } from "./public_api.js";

const OPEN = "grok_app_chat_open"; // of this tab: what is open comes back after a reload

let hasSaidUnkept = false;

// The conversation of this tab, and the list of those that are kept.
export function useChat(labels) {
  const [shelf] = useState(() => new Conversations());
  const [chatting] = useState(() => new Chatting({ stream, shelf, addressesOf }));
  const state = useSyncExternalStore(chatting.subscribe, chatting.snapshot, chatting.snapshot);
  const [conversations, setConversations] = useState([]);
  const [isKept, setKept] = useState(null); // not known yet
  const said = useRef(labels);
  useEffect(() => void (said.current = labels), [labels]);
  useEffect(() => {
    const sayUnkept = (label) => {
      if (!hasSaidUnkept) toast.warning(said.current[label]);
      hasSaidUnkept = true;
    };
    chatting.onFail = (message) => toast.error(message || said.current.unreachable);
    shelf.onUnkept = (error) => {
      console.error(error);
      sayUnkept("unkept");
    };
    shelf.onChange = async () => setConversations(await shelf.list());
    shelf.onChangeElsewhere = () => follow(shelf, chatting);
    const last = sessionStorage.getItem(OPEN);
    shelf.open().then(async (isKept) => {
      setKept(isKept);
      if (!isKept) return sayUnkept("not_kept");
      await shelf.onChange();
      if (last && !chatting.snapshot().conversation) await open(shelf, chatting, last);
    });
    return () => {
      chatting.stop();
      shelf.close();
    };
  }, [shelf, chatting]);
  useEffect(() => {
    addEventListener("pagehide", chatting.stop);
    return () => removeEventListener("pagehide", chatting.stop);
  }, [chatting]);
  const openId = state.conversation?.id ?? "";
  useEffect(() => sessionStorage.setItem(OPEN, openId), [openId]);
  const actions = useMemo(() => actionsOf(shelf, chatting, said), [shelf, chatting]);
  return { chatting, state, kept: { ...actions, conversations, openId, isKept } };
}

function stream(body, signal) {
  return events("chat/completions", { body, signal });
}

function actionsOf(shelf, chatting, said) {
  return {
    onChoose: (id) => open(shelf, chatting, id),
    onSave: async (conversation) => {
      const turns = await shelf.read(conversation.id);
      if (turns) download(new Blob([asMarkdown(conversation, turns, said.current)]), fileName(conversation.title, "md"));
    },
    onSaveAll: async () => {
      const heads = await shelf.list();
      const all = await Promise.all(heads.map(async (head) => ({ ...head, turns: (await shelf.read(head.id)) ?? [] })));
      const pictures = all.flatMap(({ turns }) => turns.flatMap((turn) => turn.pictures));
      download(new Blob([asJson(all, await addressesOf(pictures))]), fileName(said.current.conversations, "json"));
    },
    onRemove: async (id) => {
      if (chatting.snapshot().conversation?.id === id) chatting.drop();
      await tell(shelf.remove(id), said, "deleted");
    },
    onRemoveAll: async () => {
      chatting.drop();
      await tell(shelf.removeAll(), said, "all_deleted");
    },
  };
}

async function tell(deletion, said, label) {
  try {
    if (await deletion) toast.success(said.current[label]);
  } catch (error) {
    console.error(error);
    toast.error(said.current.not_deleted);
  }
}

let choices = 0;

// Of several choices the last counts, unless a question has been asked meanwhile.
async function open(shelf, chatting, id) {
  const choice = ++choices;
  const before = chatting.snapshot();
  const conversation = (await shelf.list()).find((it) => it.id === id);
  const turns = await shelf.read(id);
  const now = chatting.snapshot();
  const isAsked = now.isAnswering && !before.isAnswering;
  if (choice !== choices || isAsked || now.conversation !== before.conversation) return;
  if (conversation && turns) chatting.open({ id, title: conversation.title }, turns);
}

// What is open here may go on in another tab, or be deleted there.
async function follow(shelf, chatting) {
  const { conversation } = chatting.snapshot();
  if (!conversation) return;
  const turns = await shelf.read(conversation.id);
  if (chatting.snapshot().conversation !== conversation) return;
  if (turns) chatting.refresh(turns);
  else if (!shelf.isLost(conversation.id)) chatting.drop();
}
