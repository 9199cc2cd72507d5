// What the imagine page keeps an eye on: the session, what is saved of it, what is selected.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { toast } from "sonner";
import { NO_SOCKET, draw, stopTasks } from "./imagine_run.js";
import { Session } from "./imagine_session.js";
import { canChooseFolder, chooseFolder, savePicture, saveTogether, writeInto } from "./imagine_saving.js";
import { fill } from "./wording.js";

// The session of this page. It ends with the page, and begins anew when another choice is made while it lasts.
export function useSession({ pictures, choices, labels, onFinished }) {
  const latest = useRef(null);
  latest.current = { pictures, labels, onFinished };
  const [session] = useState(() => new Session(actionsOf(latest)));
  const status = useSyncExternalStore(session.subscribe, session.status, session.status);
  const { ratio, runs, mode, isNsfw } = choices;
  const wish = { aspect_ratio: ratio, nsfw: isNsfw };
  const start = (prompt) => session.start({ wish: { prompt, ...wish }, mode, runs: Number(runs) });
  useEffect(() => {
    if (session.order) start(session.order.wish.prompt);
  }, [ratio, runs, mode, isNsfw]);
  useEffect(() => {
    const leave = () => session.leave();
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      leave();
    };
  }, [session]);
  return { session, status, start };
}

function actionsOf(latest) {
  const label = (name) => latest.current.labels[name];
  // A toast with the id of one that is there takes its place: parallel runs have the same to say.
  const complain = (message) => toast.error(message, { id: message });
  let lastSetback = "";
  return {
    draw,
    stopTasks,
    onPicture(event, wish) {
      const picture = latest.current.pictures.take(event, wish);
      if (picture.stage !== "final") return;
      lastSetback = "";
      latest.current.onFinished(picture);
    },
    onRunEnd: (runId) => latest.current.pictures.endRun(runId),
    onSetback(message) {
      if (message !== lastSetback) complain(message);
      lastSetback = message; // a run says it again after each pause
    },
    onFailure: (error) => complain(error.message || label(error.code === NO_SOCKET ? "no_socket" : "lost")),
    onFallBack: () => toast.warning(label("fell_back"), { id: "fell-back" }),
  };
}

// How pictures get out of the page: `keep` takes each as it is finished.
export function useSaving(labels, isAutoDownload) {
  const [folder, setFolder] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const [hasFolders, setHasFolders] = useState(false);
  useEffect(() => setHasFolders(canChooseFolder()), []);
  const keep = async (picture) => {
    if (!folder) return isAutoDownload && savePicture(picture);
    try {
      await writeInto(folder, picture);
    } catch {
      setFolder(null);
      toast.error(fill(labels.folder_failed, { name: folder.name }), { id: "folder" });
    }
  };
  const toggleFolder = async () => {
    if (folder) return setFolder(null);
    try {
      const chosen = await chooseFolder();
      if (!chosen) return;
      setFolder(chosen);
      toast.success(fill(labels.folder_chosen, { name: chosen.name }));
    } catch {
      toast.error(labels.folder_refused);
    }
  };
  const together = async (chosen) => {
    setBusy(true);
    const name = await saveTogether(chosen);
    setBusy(false);
    if (name) toast.success(fill(labels.zipped, { count: chosen.length, name }));
    else toast.warning(labels.not_zipped);
    return Boolean(name);
  };
  return { folder, isBusy, keep, toggleFolder: hasFolders ? toggleFolder : undefined, saveTogether: together };
}

// Which of the listed pictures are selected; `keys` is null while nothing is being selected.
export function useSelection(listed) {
  const [keys, setKeys] = useState(null);
  const pictures = useMemo(() => (keys ? listed.filter(({ key }) => keys.has(key)) : []), [keys, listed]);
  const toggle = useCallback(
    (key) => setKeys((now) => (now.has(key) ? new Set([...now].filter((it) => it !== key)) : new Set([...now, key]))),
    [],
  );
  return {
    keys,
    pictures,
    toggle,
    begin: () => setKeys(new Set()),
    selectAll: () => setKeys(new Set(listed.map(({ key }) => key))),
    selectNone: () => setKeys(new Set()),
    end: () => setKeys(null),
  };
}
