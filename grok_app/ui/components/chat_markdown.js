// Answers as Markdown, also while they grow. Raw HTML in them stays text.
import { createContext, createElement as h, memo, useContext, useRef } from "react";
import ReactMarkdown, { defaultUrlTransform } from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";
import { previewOf } from "./attached_pictures.js";
import { CopyButton } from "./copying.js";

const Labels = createContext({ copy: "", copied: "" });

// Constant, so that React keeps the elements of an answer while it grows.
const REMARK = [remarkGfm];
const REHYPE = [[rehypeHighlight, { detect: false }]];
const ELEMENTS = { pre: CodeBlock, a: Link, table: Table, img: Picture, input: Task };

// `labels` has `copy` and `copied`.
export const Markdown = memo(function Markdown({ source, labels }) {
  return h(
    Labels.Provider,
    { value: labels },
    h(
      "div",
      { className: "markdown" },
      h(
        ReactMarkdown,
        { remarkPlugins: REMARK, rehypePlugins: REHYPE, components: ELEMENTS, urlTransform: addressOf },
        source,
      ),
    ),
  );
});

function CodeBlock({ children }) {
  const block = useRef(null);
  const { copy, copied } = useContext(Labels);
  const language = /language-(\S+)/.exec(children?.props?.className ?? "")?.[1] ?? "";
  return h(
    "div",
    { className: "code-block" },
    h(
      "div",
      { className: "code-block-head" },
      h("span", null, language),
      h(CopyButton, { source: () => block.current.textContent.trimEnd(), copyLabel: copy, copiedLabel: copied }),
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

// A picture that isn't ours is a link.
function Picture({ src, alt }) {
  return isShown(src) ? h("img", { src, alt: alt ?? "", loading: "lazy" }) : h(Link, { href: src }, alt || src);
}

function isShown(src) {
  return Boolean(src) && previewOf(src, location.origin) !== null;
}

// A picture within the answer itself is dropped by default; an operator may have chosen to send them so.
function addressOf(url, attribute) {
  return attribute === "src" && isShown(url) ? url : defaultUrlTransform(url);
}
