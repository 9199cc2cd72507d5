// An area that goes along with what is added to it.
import { useEffect, useRef } from "react";

const NEAR_PX = 80;

// Keep the newest end of an area in sight, unless its reader has scrolled away from there. `area` and `content` are
// references to the area and to what grows in it.
export function useFollowing(area, content, { isOn, isNewestFirst }) {
  const isFollowing = useRef(true);
  useEffect(() => {
    if (!isOn) return undefined;
    const node = area.current;
    let lastTop = node.scrollTop;
    const goThere = () => {
      if (isFollowing.current) node.scrollTop = isNewestFirst ? 0 : node.scrollHeight;
    };
    // Only going the other way ends it: a picture may have come since we went there ourselves.
    const onScroll = () => {
      const { scrollTop: top, scrollHeight, clientHeight } = node;
      const distance = isNewestFirst ? top : scrollHeight - top - clientHeight;
      const isOnTheWay = isNewestFirst ? top <= lastTop : top >= lastTop;
      isFollowing.current = distance < NEAR_PX || (isFollowing.current && isOnTheWay);
      lastTop = top;
    };
    isFollowing.current = true;
    goThere();
    const observer = new ResizeObserver(goThere);
    observer.observe(content.current);
    node.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      node.removeEventListener("scroll", onScroll);
    };
  }, [area, content, isOn, isNewestFirst]);
}
