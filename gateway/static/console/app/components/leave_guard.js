/** Asks before a page with unsaved changes is left: by a link, by the browser's buttons, or by closing the tab. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { guardRoute } from "../core/route.js";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";

/** `when`: whether there is something to lose. Another query of the same path is the same page. */
export function LeaveGuard({ when }) {
  const [wanted, setWanted] = useState(null);
  const leaving = useRef(false);
  useLayoutEffect(() => {
    if (!when) return undefined;
    const unload = (event) => event.preventDefault();
    const stop = guardRoute((there, here) => {
      if (leaving.current || pathOf(there) === pathOf(here)) return true;
      setWanted(there);
      return false;
    });
    addEventListener("beforeunload", unload);
    return () => {
      removeEventListener("beforeunload", unload);
      stop();
    };
  }, [when]);
  if (wanted === null) return null;
  const leave = () => {
    leaving.current = true;
    setWanted(null);
    location.hash = wanted;
  };
  return html`<${Dialog} title=${text.leaving.title} onClose=${() => setWanted(null)}>
    <p class="dialog-text">${text.leaving.lead}</p>
    <footer class="dialog-foot">
      <${Button} onClick=${() => setWanted(null)}>${text.leaving.stay}<//>
      <${Button} kind="danger" onClick=${leave}>${text.leaving.leave}<//>
    </footer>
  <//>`;
}

function pathOf(hash) {
  return hash.split("?")[0];
}
