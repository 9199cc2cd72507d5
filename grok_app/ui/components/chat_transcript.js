// A conversation as it is read: its turns in an area that follows what is added, unless the reader has scrolled up.
import { createElement as h, memo, useEffect, useRef } from "react";
import { ChevronRight, RefreshCw } from "lucide-react";
import { Markdown } from "./chat_markdown.js";
import { Preview } from "./chat_pictures.js";
import { CopyButton } from "./copying.js";

const NEAR_BOTTOM_PX = 80;

export function Transcript({ label, count, children }) {
  const area = useRef(null);
  const content = useRef(null);
  const isFollowing = useRef(true);
  useEffect(() => {
    isFollowing.current = true; // whoever asks wants to see the answer
  }, [count]);
  useEffect(() => {
    const node = area.current;
    let lastTop = 0;
    // Only going up ends it: a picture may have grown below since we went down ourselves.
    const onScroll = () => {
      const isNear = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_BOTTOM_PX;
      isFollowing.current = isNear || (isFollowing.current && node.scrollTop >= lastTop);
      lastTop = node.scrollTop;
    };
    const observer = new ResizeObserver(() => {
      if (isFollowing.current) node.scrollTop = node.scrollHeight;
    });
    observer.observe(content.current);
    observer.observe(node);
    node.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      node.removeEventListener("scroll", onScroll);
    };
  }, []);
  return h(
    "div",
    { ref: area, className: "transcript", role: "log", "aria-label": label, tabIndex: 0 },
    h("div", { ref: content, className: "transcript-content" }, children),
  );
}

// A question and what came of it. Only the newest can be asked again: `onRetry` is given to no other.
export const Turn = memo(function Turn({ turn, isAnswering, labels, onRetry }) {
  return h(
    "article",
    { className: "turn", "aria-busy": isAnswering || undefined },
    turn.pictures.length > 0 &&
      h("div", { className: "question-pictures" }, ...turn.pictures.map((it) => h(Preview, { key: it.id, picture: it }))),
    h("div", { className: "question" }, turn.question),
    turn.thinking && h(Thoughts, { thinking: turn.thinking, label: isAnswering && !turn.answer ? labels.thinking : labels.thought }),
    turn.answer && h(Markdown, { source: turn.answer, labels }),
    isAnswering ? !turn.answer && !turn.thinking && h(Waiting, { label: labels.waiting }) : h(Ending, { turn, labels, onRetry }),
  );
});

function Ending({ turn, labels, onRetry }) {
  return [
    turn.state === "failed" && h("p", { key: "error", role: "alert", className: "answer-error" }, turn.error || labels.unreachable),
    (turn.state === "stopped" || turn.state === "open") && h("p", { key: "stopped", className: "hint" }, labels.stopped),
    h(
      "div",
      { key: "actions", className: "answer-actions" },
      turn.answer && h(CopyButton, { source: turn.answer, copyLabel: labels.copy, copiedLabel: labels.copied }),
      onRetry &&
        h(
          "button",
          { type: "button", className: "button quiet icon small", "aria-label": labels.retry, title: labels.retry, onClick: onRetry },
          h(RefreshCw, { size: 15, "aria-hidden": true }),
        ),
      h("span", { className: "answer-model" }, turn.model),
    ),
  ];
}

function Thoughts({ thinking, label }) {
  return h(
    "details",
    { className: "fold thoughts" },
    h("summary", null, h(ChevronRight, { size: 15, "aria-hidden": true }), h("span", null, label)),
    h("div", { className: "thoughts-text" }, thinking),
  );
}

function Waiting({ label }) {
  return h("div", { role: "status", "aria-label": label, className: "waiting" }, h("span"), h("span"), h("span"));
}
