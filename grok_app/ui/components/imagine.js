// The imagine page: what shall be drawn, how it goes, and the wall of what came of it.
import { Children, createElement as h, useCallback, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { toast } from "sonner";
import { useFollowing } from "./imagine_following.js";
import { Actions, Options, StatusLine } from "./imagine_bar.js";
import { useSaving, useSelection, useSession } from "./imagine_hooks.js";
import { Lightbox } from "./imagine_lightbox.js";
import { Pictures, isSmall } from "./imagine_pictures.js";
import { Prompt } from "./prompt.js";
import { savePicture } from "./imagine_saving.js";
import { Wall, WaitingWall, idOf } from "./imagine_wall.js";

// Of the tab: they are there still when the visitor comes back from another page of the studio.
const pictures = new Pictures();
const BUSY = new Set(["connecting", "running", "stopping"]);

/**
 * `children` are the choices under the prompt and the toggles of the options.
 *
 * @param {object} page
 * @param {{ratio: string, runs: string, mode: "auto"|"ws"|"sse", isNsfw: boolean}} page.choices
 * @param {{autoScroll: boolean, autoDownload: boolean, autoFilter: boolean, newestFirst: boolean}} page.toggles
 * @param {number} page.finalMinChars Finished pictures have as much base64.
 */
export function Imagine({ labels, choices, toggles, finalMinChars, children }) {
  const [fields, switches] = Children.toArray(children);
  const [example, setExample] = useState({ text: "", serial: 0 });
  const onExample = (text) => setExample(({ serial }) => ({ text, serial: serial + 1 }));
  const list = useList(toggles, finalMinChars);
  const selection = useSelection(list.listed);
  const saving = useSaving(labels, toggles.autoDownload);
  const { session, status, start } = useSession({ pictures, choices, labels, onFinished: saving.keep });
  const isBusy = BUSY.has(status.state);
  const stop = () => {
    session.stop();
    toast.success(labels.stopped);
  };
  return h(
    "div",
    { className: "imagine-page" },
    h(
      "div",
      { className: "imagine-bar" },
      h(StatusLine, { status, shown: list.shown, hiddenCount: list.shown.pictures.length - list.listed.length, labels }),
      h(Actions, { isEmpty: list.shown.pictures.length === 0, selection, saving, labels, onClear: () => pictures.clear() }),
      h(Options, { folder: saving.folder, labels, onFolder: saving.toggleFolder }, switches),
    ),
    h(Gallery, { ...list, selection, toggles, ratio: isBusy ? choices.ratio : "", labels, onExample }),
    h(
      "div",
      { className: "imagine-dock" },
      h(Prompt, { page: "imagine", key: example.serial, initial: example.text, labels, isRunning: isBusy, onStart: start, onStop: stop }, fields),
    ),
  );
}

// The pictures: `shown` all of them, `listed` those that the auto-filter lets through, in the order of the wall.
function useList({ autoFilter, newestFirst }, finalMinChars) {
  const shown = useSyncExternalStore(pictures.subscribe, pictures.shown, pictures.shown);
  const isShown = useCallback((picture) => !(autoFilter && isSmall(picture, finalMinChars)), [autoFilter, finalMinChars]);
  const listed = useMemo(() => {
    const kept = shown.pictures.filter(isShown);
    return newestFirst ? kept.reverse() : kept;
  }, [shown, isShown, newestFirst]);
  return { shown, listed, isShown };
}

// The wall, and one picture over it when it is picked. `ratio` is that of the pictures to come, empty when none will.
function Gallery({ shown, listed, isShown, selection, toggles, ratio, labels, onExample }) {
  const [openKey, setOpenKey] = useState("");
  const area = useRef(null);
  const content = useRef(null);
  const { keys: selected, toggle } = selection;
  const isSelecting = selected !== null;
  const isNewestFirst = toggles.newestFirst;
  useFollowing(area, content, { isOn: toggles.autoScroll, isNewestFirst });
  const pick = useCallback((key) => (isSelecting ? toggle(key) : setOpenKey(key)), [isSelecting, toggle]);
  const closeLightbox = (key) => {
    setOpenKey("");
    document.getElementById(idOf(key))?.focus();
  };
  const wall = () => h(Wall, { pictures: shown.pictures, isShown, isNewestFirst, selected, labels, onPick: pick });
  const placeholder = () => (ratio ? h(WaitingWall, { ratio }) : h(Welcome, { labels, onExample }));
  return h(
    "div",
    { ref: area, className: "wall-area" },
    h("div", { ref: content }, shown.pictures.length > 0 ? wall() : placeholder()),
    h(Lightbox, { pictures: listed, openKey, labels, onShow: setOpenKey, onSave: savePicture, onClose: closeLightbox }),
  );
}

function Welcome({ labels, onExample }) {
  const example = (text) =>
    h("button", { key: text, type: "button", className: "example", onClick: () => onExample(text) }, text);
  return h(
    "section",
    { className: "imagine-welcome" },
    h("h2", null, labels.welcome),
    h("p", { className: "lead" }, labels.lead),
    h("div", { className: "examples" }, [labels.example_1, labels.example_2, labels.example_3].map(example)),
  );
}
