// Buttons that put a text on the clipboard. By themselves, so that pages without a chat don't load the chat's libraries.
import { createElement as h, useEffect, useState } from "react";
import { Check, Copy } from "lucide-react";

const COPIED_MS = 1600;

export function CopyButton({ source, copyLabel, copiedLabel }) {
  const read = () => (typeof source === "function" ? source() : source);
  return h(Button, { copy: () => putOnClipboard(read()), copyLabel, copiedLabel });
}

// The text is asked for at the click and goes to the clipboard alone: neither the page nor its state ever has it.
export function CopyAnswer({ path, body, copyLabel, copiedLabel, failedLabel, onFail }) {
  const copy = async () => {
    try {
      if (await putOnClipboard(ask(path, body))) return true;
      onFail(failedLabel);
    } catch (error) {
      onFail(error.message || failedLabel);
    }
    return false;
  };
  return h(Button, { copy, copyLabel, copiedLabel });
}

function Button({ copy, copyLabel, copiedLabel }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const label = isCopied ? copiedLabel : copyLabel;
  return h(
    "button",
    {
      type: "button",
      className: "button quiet icon small",
      "aria-label": label,
      title: label,
      onClick: async () => setCopied(await copy()),
    },
    h(isCopied ? Check : Copy, { size: 15, "aria-hidden": true }),
  );
}

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.error?.message);
  return (await answer.text()).trimEnd();
}

// Takes a promise too: browsers want the clipboard to be asked for at the click, not when the answer has come.
async function putOnClipboard(text) {
  if (navigator.clipboard && text instanceof Promise) {
    let failure;
    const blob = text.then((it) => new Blob([it], { type: "text/plain" })).catch((error) => Promise.reject((failure = error)));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]).then(
      () => true,
      () => (failure ? Promise.reject(failure) : false),
    );
  }
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const carrier = document.createElement("textarea");
  carrier.value = await text;
  carrier.className = "off-screen";
  document.body.append(carrier);
  carrier.select();
  const isCopied = document.execCommand("copy");
  carrier.remove();
  return isCopied;
}
