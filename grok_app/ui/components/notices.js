// Shows what the server has to say. Reflex's own server-side toasts run through eval, which our policy forbids.
import { useEffect } from "react";
import { toast } from "sonner";

export function Notices({ notice }) {
  useEffect(() => {
    if (notice.serial > 0) toast[notice.kind](notice.text, { id: `notice-${notice.serial}` });
  }, [notice.serial]);
  return null;
}
