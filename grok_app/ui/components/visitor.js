// Who visits the studio: the key, and the way in and out. The key stays in this browser and is in no address.
import { createElement as h, useEffect, useState } from "react";
import { LogOut } from "lucide-react";
import { KeyForm } from "./key_form.js";
import { KEY, SIGN_IN, verify } from "./public_api.js";

const LAST_PAGE = "grok_app_studio_page";

// The sign-in. Who needs no key, or has the right one still, goes on to where they were.
export function VisitorSignIn({ home, asksFor, labels }) {
  const [isBusy, setBusy] = useState(false);
  const [message, setMessage] = useState("");
  useEffect(() => {
    isAdmitted(asksFor).then((isIn) => isIn && location.replace(lastPage(home)));
  }, [home, asksFor]);
  const signIn = async (key) => {
    setBusy(true);
    setMessage("");
    try {
      await verify(key);
      localStorage.setItem(KEY, key);
      location.replace(lastPage(home));
    } catch (error) {
      setMessage(error.message || labels.unreachable);
      setBusy(false);
    }
  };
  return h(KeyForm, { id: "key", labels, message, isBusy, onSubmit: signIn });
}

// Forgets the key, in all tabs. There is nothing to forget where none is asked for.
export function VisitorSignOut({ label }) {
  const [hasKey, setHasKey] = useState(false);
  useEffect(() => setHasKey(Boolean(localStorage.getItem(KEY))), []);
  const leave = () => {
    localStorage.removeItem(KEY);
    sessionStorage.clear(); // Reflex's token of this tab too, under which its state is kept
    location.replace(SIGN_IN);
  };
  if (!hasKey) return null;
  return h(
    "button",
    { type: "button", id: "sign-out", className: "button quiet icon", "aria-label": label, title: label, onClick: leave },
    h(LogOut, { size: 18, "aria-hidden": true }),
  );
}

// On every page of the studio: remembers it for the way back, and leads those to the sign-in who must sign in.
export function StudioPage({ path, asksFor }) {
  useEffect(() => sessionStorage.setItem(LAST_PAGE, path), [path]);
  useEffect(() => {
    if (asksFor !== "key") return undefined;
    const check = () => isAdmitted(asksFor).then((isIn) => isIn || location.replace(SIGN_IN));
    const onChange = ({ key }) => key === KEY && check(); // in another tab
    check();
    addEventListener("storage", onChange);
    return () => removeEventListener("storage", onChange);
  }, [asksFor]);
  return null;
}

// Whether the server would let this browser in. Where nobody can say, as far as is known.
async function isAdmitted(asksFor) {
  if (asksFor === "nothing") return true;
  const key = localStorage.getItem(KEY);
  if (!key) return false;
  try {
    await verify(key);
  } catch (error) {
    return error.status !== 401;
  }
  return true;
}

function lastPage(home) {
  return sessionStorage.getItem(LAST_PAGE) ?? home;
}
