// The chat's own React components: Markdown, Composer, Transcript.
import { createContext, createElement as h, useContext, useEffect, useRef, useState } from "react";
import { ArrowUp, Square } from "lucide-react";
import ReactMarkdown from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";
import { CopyButton } from "./copying.js";

const NEAR_BOTTOM_PX = 80;
const Labels = createContext({ copyLabel: "Copy", copiedLabel: "Copied" });

// Constant, so that React keeps the elements of an answer while it grows.
const REMARK = [remarkGfm];
const REHYPE = [[rehypeHighlight, { detect: false }]];
const ELEMENTS = { pre: CodeBlock, a: Link, table: Table, img: Picture, input: Task };

export function Markdown({ source, copyLabel, copiedLabel }) {
  return h(
    Labels.Provider,
    { value: { copyLabel, copiedLabel } },
    h(
      "div",
      { className: "markdown" },
      h(ReactMarkdown, { remarkPlugins: REMARK, rehypePlugins: REHYPE, components: ELEMENTS }, source),
    ),
  );
}

export function Composer({ placeholder, sendLabel, stopLabel, isBusy, onSend, onStop, children }) {
  const field = useRef(null);
  const [draft, setDraft] = useState("");
  useEffect(() => fit(field.current), [draft]);
  const canSend = !isBusy && draft.trim() !== "";
  const send = () => {
    if (!canSend) return;
    onSend(draft);
    setDraft("");
  };
  const onKeyDown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return h(
    "form",
    { className: "composer", onSubmit: (event) => (event.preventDefault(), send()) },
    h("textarea", {
      ref: field,
      id: "message",
      rows: 1,
      value: draft,
      placeholder,
      "aria-label": placeholder,
      autoFocus: true,
      onChange: (event) => setDraft(event.target.value),
      onKeyDown,
    }),
    h(
      "div",
      { className: "composer-toolbar" },
      children,
      h("span", { className: "spacer" }),
      isBusy
        ? h(
            "button",
            { type: "button", id: "stop", className: "button round", "aria-label": stopLabel, title: stopLabel, onClick: () => onStop() },
            h(Square, { size: 14, fill: "currentColor", "aria-hidden": true }),
          )
        : h(
            "button",
            { type: "submit", id: "send", className: "button round primary", "aria-label": sendLabel, title: sendLabel, disabled: !canSend },
            h(ArrowUp, { size: 18, "aria-hidden": true }),
          ),
    ),
  );
}

export function Transcript({ label, children }) {
  const area = useRef(null);
  const content = useRef(null);
  useEffect(() => {
    let isFollowing = true;
    let lastTop = 0;
    // Only going up ends it: a picture may have grown below since we went down ourselves.
    const onScroll = () => {
      const { scrollHeight, scrollTop, clientHeight } = area.current;
      const isNear = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
      isFollowing = isNear || (isFollowing && scrollTop >= lastTop);
      lastTop = scrollTop;
    };
    const follow = () => {
      if (isFollowing && area.current) area.current.scrollTop = area.current.scrollHeight;
    };
    const observer = new ResizeObserver(follow);
    observer.observe(content.current);
    observer.observe(area.current);
    const node = area.current;
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

function CodeBlock({ children }) {
  const block = useRef(null);
  const { copyLabel, copiedLabel } = useContext(Labels);
  const language = /language-(\S+)/.exec(children?.props?.className ?? "")?.[1] ?? "";
  return h(
    "div",
    { className: "code-block" },
    h(
      "div",
      { className: "code-block-head" },
      h("span", null, language),
      h(CopyButton, { source: () => block.current.textContent.trimEnd(), copyLabel, copiedLabel }),
    ),
    h("pre", { ref: block, tabIndex: 0 }, children),
  );
}

function Link({ href, children }) {
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, children);
}

// Wide tables scroll in themselves, never the page.
function Table({ children }) {
  return h("div", { className: "table-scroll", tabIndex: 0 }, h("table", null, children));
}

// The box of a task list. Its label is the sign itself, the same in every language.
function Task({ checked }) {
  return h("input", { type: "checkbox", checked, disabled: true, "aria-label": checked ? "☑" : "☐" });
}

// A picture of another site is a link: the page loads nothing from elsewhere.
function Picture({ src, alt }) {
  const isOurs = new URL(src ?? "", location.href).origin === location.origin;
  return isOurs ? h("img", { src, alt: alt ?? "", loading: "lazy" }) : h(Link, { href: src }, alt || src);
}

function fit(field) {
  if (!field) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
