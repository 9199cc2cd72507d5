// What a browser says of the page: its title on the tab, and its language. React writes the English title first.
import { useEffect } from "react";

export function TabTitle({ title, language }) {
  useEffect(() => {
    document.title = title;
    document.documentElement.lang = language;
  }, [title, language]);
  return null;
}
