// The wall of pictures. A picture that gets sharper is drawn anew alone, whatever hangs beside it.
import { createElement as h, memo, useEffect, useMemo, useRef, useState } from "react";
import { Check } from "lucide-react";
import { countColumns, distribute } from "./imagine_columns.js";
import { fill } from "./wording.js";

const PLACEHOLDERS = 6; // as many as Grok draws at once

export function idOf(key) {
  return `picture-${key}`;
}

// `selected` is null while nothing is being selected, else the keys that are.
export function Wall({ pictures, isShown, isNewestFirst, selected, labels, onPick }) {
  const [wall, count] = useColumns();
  const columns = useMemo(() => distribute(pictures, count, isShown), [pictures, count, isShown]);
  const tile = (picture) =>
    h(Tile, { key: picture.key, picture, isPressed: selected?.has(picture.key), name: labels.picture, unfinished: labels.unfinished, onPick });
  const column = (hung, index) =>
    h("div", { key: index, className: "wall-column" }, (isNewestFirst ? hung.toReversed() : hung).map(tile));
  const hanging = columns.map(column);
  // Mirrored, so that the newest of a row is the first that is read.
  return h("div", { ref: wall, className: "wall", role: "group", "aria-label": labels.wall }, isNewestFirst ? hanging.reverse() : hanging);
}

// What stands there until the first picture comes.
export function WaitingWall({ ratio }) {
  const [wall, count] = useColumns();
  const aspectRatio = ratio.replace(":", " / ");
  const column = (_, index) =>
    h(
      "div",
      { key: index, className: "wall-column" },
      Array.from({ length: Math.ceil((PLACEHOLDERS - index) / count) }, (_, row) =>
        h("div", { key: row, className: "wall-tile waiting-tile", style: { aspectRatio } }),
      ),
    );
  return h("div", { ref: wall, className: "wall", "aria-hidden": true }, Array.from({ length: Math.min(count, PLACEHOLDERS) }, column));
}

const Tile = memo(function Tile({ picture, isPressed, name, unfinished, onPick }) {
  const { key, number, prompt, width, height, stage, isLeft, isSharpened, url } = picture;
  return h(
    "button",
    {
      type: "button",
      id: idOf(key),
      className: "wall-tile",
      "data-stage": stage,
      "data-left": isLeft || undefined,
      "aria-pressed": isPressed,
      style: { aspectRatio: `${width} / ${height}` },
      onClick: () => onPick(key),
    },
    h("img", {
      src: url,
      width,
      height,
      alt: fill(name, { number, prompt }),
      loading: "lazy",
      decoding: isSharpened ? "sync" : "async", // in the place of another, it would blink
    }),
    isLeft && h("span", { className: "tile-note" }, unfinished),
    isPressed !== undefined && h("span", { className: "tile-check" }, isPressed && h(Check, { size: 14, "aria-hidden": true })),
  );
});

// A reference for the wall, and how many columns it has room for.
function useColumns() {
  const wall = useRef(null);
  const [count, setCount] = useState(2);
  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => setCount(countColumns(contentRect.width)));
    observer.observe(wall.current);
    return () => observer.disconnect();
  }, []);
  return [wall, count];
}
