// The chat page: the conversation above, the field to write in below, what was asked before beside them.
import { createElement as h, useCallback, useEffect, useState } from "react";
import { PanelLeft, SquarePen } from "lucide-react";
import { Composer } from "./chat_composer.js";
import { History } from "./chat_history.js";
import { useChat } from "./chat_kept.js";
import { usePictures } from "./chat_pictures.js";
import { Transcript, Turn } from "./chat_transcript.js";

const WIDE = "(min-width: 900px)";

export function Chat({ labels, language, model, effort, isHistoryOpen, onSwitchHistory, children }) {
  const { chatting, state, kept } = useChat(labels);
  const { conversation, turns, isAnswering } = state;
  const { pictures, attach, remove, clear } = usePictures(chatting, labels);
  const isWide = useMedia(WIDE);
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const isListOpen = isWide ? isHistoryOpen : isDrawerOpen;
  const switchList = isWide ? onSwitchHistory : setDrawerOpen;
  const closeList = useCallback(() => setDrawerOpen(false), []);
  const ask = useCallback(
    (question) => {
      chatting.ask(question, pictures, { model, effort });
      clear();
    },
    [chatting, pictures, clear, model, effort],
  );
  const retry = useCallback(() => chatting.retry({ model, effort }), [chatting, model, effort]);
  const begin = () => {
    chatting.open();
    document.getElementById("message").focus();
  };
  return h(
    "div",
    { className: "chat-columns" },
    h(History, { ...kept, isWide, isOpen: isListOpen, onClose: closeList, labels, language }),
    h(
      DropArea,
      { hint: labels.drop, onDrop: attach },
      h(Bar, { title: conversation?.title, isListOpen, labels, onSwitch: () => switchList(!isListOpen), onNew: begin }),
      h(
        Transcript,
        { key: state.serial, label: labels.transcript, count: turns.length },
        turns.length ? h(Turns, { turns, isAnswering, labels, onRetry: retry }) : h(Welcome, { labels, onAsk: ask }),
      ),
      h(
        "div",
        { className: "composer-dock" },
        h(
          Composer,
          { labels, isBusy: isAnswering, pictures, onAttach: attach, onRemove: remove, onSend: ask, onStop: chatting.stop },
          children,
        ),
      ),
    ),
  );
}

function Turns({ turns, isAnswering, labels, onRetry }) {
  const last = turns.length - 1;
  return turns.map((turn, index) =>
    h(Turn, {
      key: turn.id,
      turn,
      labels,
      isAnswering: index === last && isAnswering,
      onRetry: index === last ? onRetry : undefined,
    }),
  );
}

function Bar({ title, isListOpen, labels, onSwitch, onNew }) {
  const listLabel = isListOpen ? labels.hide_conversations : labels.show_conversations;
  return h(
    "div",
    { className: "chat-bar" },
    h(
      "button",
      {
        type: "button",
        id: "history",
        className: "button quiet icon",
        "aria-label": listLabel,
        title: listLabel,
        "aria-expanded": isListOpen,
        onClick: onSwitch,
      },
      h(PanelLeft, { size: 17, "aria-hidden": true }),
    ),
    title ? h("h1", { className: "chat-title", title }, title) : h("span", { className: "spacer" }),
    h(
      "button",
      { type: "button", id: "new-chat", className: "button quiet icon", "aria-label": labels.new, title: labels.new, disabled: !title, onClick: onNew },
      h(SquarePen, { size: 17, "aria-hidden": true }),
    ),
  );
}

function Welcome({ labels, onAsk }) {
  const examples = [labels.example_1, labels.example_2, labels.example_3];
  return h(
    "section",
    { className: "welcome" },
    h("h1", null, labels.title),
    h("p", { className: "lead" }, labels.lead),
    h(
      "div",
      { className: "examples" },
      ...examples.map((example) =>
        h("button", { key: example, type: "button", className: "example", onClick: () => onAsk(example) }, example),
      ),
    ),
  );
}

// Files can be dropped anywhere on the conversation.
function DropArea({ hint, onDrop, children }) {
  const [isOver, setOver] = useState(false);
  const hasFiles = ({ dataTransfer }) => dataTransfer.types.includes("Files");
  return h(
    "section",
    {
      className: "chat-main",
      onDragOver: (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: (event) => event.currentTarget.contains(event.relatedTarget) || setOver(false),
      onDrop: (event) => {
        setOver(false);
        if (!hasFiles(event)) return;
        event.preventDefault();
        onDrop([...event.dataTransfer.files]);
      },
    },
    ...children,
    isOver && h("div", { className: "drop-hint", "aria-hidden": true }, hint),
  );
}

function useMedia(query) {
  const [isMatch, setMatch] = useState(false);
  useEffect(() => {
    const media = matchMedia(query);
    const look = () => setMatch(media.matches);
    look();
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, [query]);
  return isMatch;
}
