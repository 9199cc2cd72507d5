// Making one video at a time, from the wish to the file.
import { useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import { dataUriOf } from "./attached_pictures.js";
import { ask, events } from "./public_api.js";
import { after, NOTHING_TOLD, stillIn, videoIn } from "./video_told.js";

// `current` is the film being made, or why it was not; `told` is what the last stream said; `films` are those that
// were made since the page was opened, newest first. Whoever leaves the page stops what is being made.
export function useFilming(labels) {
  const [current, setCurrent] = useState(null);
  const [told, setTold] = useState(NOTHING_TOLD);
  const [films, setFilms] = useState([]);
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = async (wish) => {
    if (running.current) return;
    const own = (running.current = new AbortController());
    const { reference, ...said } = wish;
    const film = { ...said, hasPicture: reference !== "", startedAt: Date.now() };
    setCurrent({ ...film, error: "" });
    setTold(NOTHING_TOLD);
    try {
      const made = await make(wish, { labels, signal: own.signal, onTold: setTold });
      setFilms((others) => [{ ...film, ...made, tookMs: Date.now() - film.startedAt }, ...others]);
      setCurrent(null);
      toast.success(labels.done);
    } catch (error) {
      if (own.signal.aborted) return;
      const message = error.message || labels.unreachable;
      setCurrent({ ...film, error: message });
      toast.error(message);
    } finally {
      if (running.current === own) running.current = null;
    }
  };
  const stop = () => {
    running.current?.abort();
    running.current = null;
    setCurrent(null);
    toast.success(labels.stopped);
  };
  return { current, told, films, isRunning: current !== null && !current.error, start, stop };
}

async function make({ prompt, ratio, length, resolution, preset, reference }, { labels, signal, onTold }) {
  const body = {
    prompt,
    aspect_ratio: ratio,
    video_length: Number(length),
    resolution_name: resolution,
    preset,
    image_url: await addressOf(reference, labels),
  };
  const { task_id: id } = await ask("video/start", { body, signal });
  signal.addEventListener("abort", () => withdraw(id));
  let told = NOTHING_TOLD;
  for await (const event of events(`video/sse?task_id=${id}`, { signal })) onTold((told = after(told, event)));
  if (told.error) throw new Error(told.error);
  const video = videoIn(told.text);
  if (!video) throw new Error(labels.no_video);
  return { video, still: stillIn(told.text) };
}

function withdraw(id) {
  // The stream is closed as well, which tells the server too.
  ask("video/stop", { body: { task_ids: [id] } }).catch(() => undefined);
}

// A file is sent within the request. What is typed is the server's to judge.
function addressOf(reference, labels) {
  if (typeof reference === "string") return reference;
  return dataUriOf(reference).catch(() => {
    throw new Error(labels.unreadable); // it was moved or changed meanwhile
  });
}
