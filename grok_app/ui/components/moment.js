// A moment as the visitor writes it: in the page's language, at the browser's own time.
import { createElement as h } from "react";

export function Moment({ at, language }) {
  if (!at) return h("span", null, "—");
  const time = new Date(at);
  const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
  return h("time", { dateTime: time.toISOString(), title: full.format(time) }, short.format(time));
}
