/** Says that the connection is lost, once that lasts, and that it is back. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../components/icon.js";
import { connection } from "../core/stream.js";
import { html } from "../html.js";
import { text } from "../text/index.js";

// A gateway that is replaced is away for less.
const PATIENCE = 1_500;
const BACK = 3_000;

export function ConnectionBar() {
  const [shown, setShown] = useState(null);
  const wasLost = useRef(false);
  const state = connection.value;
  useEffect(() => {
    if (state === "live" && !wasLost.current) {
      setShown(null);
      return undefined;
    }
    if (state === "live") {
      wasLost.current = false;
      setShown("back");
      const timer = setTimeout(() => setShown(null), BACK);
      return () => clearTimeout(timer);
    }
    const timer = setTimeout(() => {
      wasLost.current = true;
      setShown(state);
    }, PATIENCE);
    return () => clearTimeout(timer);
  }, [state]);
  return html`<div class="connection-bar" role="status" data-connection=${state}>
    ${shown && html`<p class=${`connection connection-${shown}`}><${Icon} name=${shown === "back" ? "check" : "warning"} size=${16} />${text.shell[shown]}</p>`}
  </div>`;
}
