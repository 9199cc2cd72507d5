// The films of the page, each a card: the one being made, and those that were.
import { createElement as h, memo, useEffect, useState } from "react";
import { CircleAlert, Clock, Download, ExternalLink } from "lucide-react";
import { phaseOf } from "./video_told.js";
import { elapsed, fill } from "./wording.js";

const TICK_MS = 1000;

// A film being made, and how far it is; or why it was not made.
export function CurrentFilm({ film, told, labels }) {
  return h(
    "article",
    { className: "film", id: "current-film" },
    film.error ? h(Failure, { film, labels }) : h(Stage, { film, told, labels }),
    h(Caption, { film, labels }),
  );
}

// A film that was made. It plays on whatever happens around it.
export const Film = memo(function Film({ film, labels }) {
  const { video, still, ratio, prompt } = film;
  return h(
    "article",
    { className: "film" },
    h("video", {
      src: video,
      poster: still ?? undefined,
      controls: true,
      playsInline: true,
      preload: "metadata",
      "aria-label": prompt,
      className: "film-picture",
      style: shapeOf(ratio),
    }),
    h(Caption, { film, labels }, h(Actions, { video, labels })),
  );
});

function Stage({ film, told, labels }) {
  const phase = phaseOf(told);
  const isCounting = phase === "filming";
  return h(
    "div",
    { className: "film-picture film-stage", style: shapeOf(film.ratio) },
    h("span", { className: "film-percent" }, isCounting ? `${told.percent}%` : "…"),
    h("progress", { max: 100, value: isCounting ? told.percent : undefined, "aria-label": labels.progress }),
    h(
      "span",
      { className: "film-state" },
      h("span", { role: "status" }, labels[phase]),
      h(Elapsed, { since: film.startedAt, label: labels.elapsed }),
    ),
  );
}

// Counts by itself, so that nothing around it is drawn anew each second.
function Elapsed({ since, label }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return h("span", { className: "film-elapsed", title: label, role: "timer", "aria-label": label }, elapsed(now - since));
}

function Failure({ film, labels }) {
  return h(
    "div",
    { className: "film-failure" },
    h(CircleAlert, { size: 20, "aria-hidden": true }),
    h("strong", null, labels.failed),
    h("p", null, film.error),
  );
}

function Caption({ film, labels, children }) {
  const { prompt, ratio, length, resolution, preset, hasPicture, tookMs } = film;
  const facts = [ratio, fill(labels.seconds, { count: length }), resolution, labels[`preset_${preset}`]];
  if (hasPicture) facts.push(labels.with_picture);
  return h(
    "div",
    { className: "film-caption" },
    h("p", { className: "film-prompt", title: prompt }, prompt),
    h(
      "div",
      { className: "film-foot" },
      h("ul", { className: "film-facts" }, ...facts.map((fact) => h("li", { key: fact }, fact))),
      tookMs !== undefined &&
        h("span", { className: "film-took", title: labels.took }, h(Clock, { size: 13, "aria-hidden": true }), elapsed(tookMs)),
      children,
    ),
  );
}

function Actions({ video, labels }) {
  const looks = { href: video, className: "button quiet icon small" };
  return h(
    "span",
    { className: "film-actions" },
    h(
      "a",
      { ...looks, target: "_blank", rel: "noopener", "aria-label": labels.open, title: labels.open },
      h(ExternalLink, { size: 16, "aria-hidden": true }),
    ),
    h(
      "a",
      { ...looks, download: video.split("/").at(-1), "aria-label": labels.download, title: labels.download },
      h(Download, { size: 16, "aria-hidden": true }),
    ),
  );
}

function shapeOf(ratio) {
  return { aspectRatio: ratio.replace(":", " / ") };
}
