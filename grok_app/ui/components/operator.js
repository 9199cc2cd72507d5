// The operator's door: the form that signs in, the button that signs out, and what keeps all tabs in step.
// The session is a cookie that no script can read, so only an answer of the server's can set it or take it away.
import { createElement as h, useEffect, useState } from "react";
import { LogOut } from "lucide-react";
import { toast } from "sonner";
import { KeyForm } from "./key_form.js";

const SESSION = "/v1/admin/session";
const LAST_PAGE = "grok_app_console_page";
const TABS = "grok_app_console";
const SIGNED_OUT = "signed-out";

export function SignIn({ home, labels }) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [waitS, setWaitS] = useState(0);
  useEffect(() => {
    if (waitS <= 0) return undefined;
    const timer = setTimeout(() => setWaitS(waitS - 1), 1000);
    return () => clearTimeout(timer);
  }, [waitS]);
  const signIn = async (key) => {
    setBusy(true);
    setError("");
    const failure = await open(key, labels);
    if (failure === null) return location.replace(lastPage(home));
    setBusy(false);
    setWaitS(failure.waitS);
    setError(failure.waitS ? "" : failure.message);
  };
  const message = waitS > 0 ? labels.wait.replace("{seconds}", waitS) : error;
  return h(KeyForm, { id: "operator-key", labels, message, isBusy: isBusy || waitS > 0, onSubmit: signIn });
}

export function SignOut({ to, label, failedLabel }) {
  const leave = async () => {
    const answer = await fetch(SESSION, { method: "DELETE" }).catch(() => null);
    if (!answer?.ok) return toast.error(failedLabel);
    sessionStorage.clear(); // Reflex's token of this tab too, under which its state is kept
    new BroadcastChannel(TABS).postMessage(SIGNED_OUT);
    location.replace(to);
  };
  return h(
    "button",
    { type: "button", id: "sign-out", className: "button quiet icon", "aria-label": label, title: label, onClick: leave },
    h(LogOut, { size: 18, "aria-hidden": true }),
  );
}

// Remembers the page for the way back after a sign-in, and leaves with the tab that signs out.
export function ConsolePage({ path, to }) {
  useEffect(() => sessionStorage.setItem(LAST_PAGE, path), [path]);
  useEffect(() => {
    const tabs = new BroadcastChannel(TABS);
    tabs.onmessage = ({ data }) => {
      if (data !== SIGNED_OUT) return;
      sessionStorage.clear();
      location.replace(to);
    };
    return () => tabs.close();
  }, [to]);
  return null;
}

// Why the door stays shut, or null when it is open.
async function open(key, labels) {
  let answer;
  try {
    answer = await fetch(SESSION, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ app_key: key }),
    });
  } catch {
    return { message: labels.unreachable, waitS: 0 };
  }
  if (answer.ok) return null;
  const body = await answer.json().catch(() => null);
  return { message: body?.error?.message ?? labels.unreachable, waitS: Number(answer.headers.get("Retry-After")) || 0 };
}

function lastPage(home) {
  const path = sessionStorage.getItem(LAST_PAGE) ?? home;
  return path === home || path.startsWith(`${home}/`) ? path : home;
}
