/** What is loaded once more now and then, while what is shown stays until the newer is there. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import { Loading } from "./loading.js";

/** A Loading for a component, made anew when one of `inputs` changes and read again when one of `again` does. */
export function useFresh(load, inputs, again) {
  const loading = useMemo(() => new Loading(load), inputs);
  useEffect(() => {
    loading.reload();
  }, [loading, ...again]);
  useEffect(() => () => loading.drop(), [loading]);
  return loading;
}

/** Calls `work` every so many milliseconds while the page is looked at; none follows before the one before has ended. */
export function useRepeated(work, milliseconds) {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    let timer = null;
    let over = false;
    const turn = async () => {
      try {
        if (document.visibilityState === "visible") await latest.current();
      } catch {
        // The next turn may succeed; what is shown stays.
      }
      if (!over) timer = setTimeout(turn, milliseconds);
    };
    timer = setTimeout(turn, milliseconds);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [milliseconds]);
}
