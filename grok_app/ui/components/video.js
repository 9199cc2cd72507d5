// The video page: what shall be filmed, how far it is, and what was.
import { createElement as h, useState } from "react";
import { ChevronRight } from "lucide-react";
import { toast } from "sonner";
import { CopyButton } from "./copying.js";
import { faultOf } from "./attached_pictures.js";
import { Prompt } from "./prompt.js";
import { CurrentFilm, Film } from "./video_films.js";
import { useFilming } from "./video_making.js";
import { Reference, usePictureDrop } from "./video_reference.js";

export function Video({ labels, ratio, length, resolution, preset, limitBytes, children }) {
  const [reference, setReference] = useState("");
  const { current, told, films, isRunning, start, stop } = useFilming(labels);
  const isEmpty = !current && films.length === 0;
  const takeFile = async (file) => {
    const fault = await faultOf(file, limitBytes);
    if (fault) toast.error(labels[fault]);
    else setReference(file);
  };
  const [isDropping, drop] = usePictureDrop(takeFile);
  return h(
    "div",
    { className: "filming", ...drop },
    h("h1", { className: isEmpty ? "" : "off-screen" }, labels.title),
    isEmpty && h("p", { className: "lead" }, labels.lead),
    h(
      "div",
      { className: isDropping ? "film-form dropping" : "film-form" },
      h(
        Prompt,
        { page: "video", labels, isRunning, onStart: (prompt) => start({ prompt, ratio, length, resolution, preset, reference: trimmed(reference) }), onStop: stop },
        h(Reference, { labels, reference, onChange: setReference, onFile: takeFile }),
        children,
      ),
    ),
    isEmpty
      ? null
      : h(
          "section",
          { className: "films", "aria-label": labels.films },
          current && h(CurrentFilm, { film: current, told, labels }),
          films.map((film) => h(Film, { key: film.video, film, labels })),
        ),
    isEmpty && !told.text ? null : h(RawStream, { text: told.text, labels }),
  );
}

function RawStream({ text, labels }) {
  return h(
    "details",
    { className: "fold raw-stream" },
    h("summary", null, h(ChevronRight, { size: 15, "aria-hidden": true }), labels.raw),
    h(
      "div",
      { className: "raw-stream-body" },
      h("pre", { tabIndex: 0, role: "region", "aria-label": labels.raw }, text || labels.raw_empty),
      text && h(CopyButton, { source: () => text, copyLabel: labels.copy, copiedLabel: labels.copied }),
    ),
  );
}

function trimmed(reference) {
  return typeof reference === "string" ? reference.trim() : reference;
}
