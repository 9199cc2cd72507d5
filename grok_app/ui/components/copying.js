// A button that puts a text on the clipboard. By itself, so that pages without a chat don't load the chat's libraries.
import { createElement as h, useEffect, useState } from "react";
import { Check, Copy } from "lucide-react";

const COPIED_MS = 1600;

export function CopyButton({ source, copyLabel, copiedLabel }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const label = isCopied ? copiedLabel : copyLabel;
  const copy = async () => setCopied(await putOnClipboard(await (typeof source === "function" ? source() : source)));
  return h(
    "button",
    { type: "button", className: "button quiet icon small", "aria-label": label, title: label, onClick: copy },
    h(isCopied ? Check : Copy, { size: 15, "aria-hidden": true }),
  );
}

async function putOnClipboard(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const carrier = document.createElement("textarea");
  carrier.value = text;
  carrier.className = "off-screen";
  document.body.append(carrier);
  carrier.select();
  const isCopied = document.execCommand("copy");
  carrier.remove();
  return isCopied;
}
