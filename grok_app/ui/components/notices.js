// Shows what the server has to say. Reflex's own server-side toasts run through eval, which our policy forbids.
import { useEffect } from "react";
import { toast } from "sonner";

// Of the document: each page has a component of its own, and a notice is shown once.
let shown = 0;

export function Notices({ notice }) {
  useEffect(() => {
    if (notice.text === "" || notice.serial === shown) return;
    shown = notice.serial;
    toast[notice.kind](notice.text, { id: `notice-${notice.serial}` });
  }, [notice.serial, notice.text]);
  return null;
}
