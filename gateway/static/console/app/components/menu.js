/** A button that opens a small window below it; closed by Escape, by leaving it, and by choosing. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

/** `button(attributes, open)` renders the button with the attributes it is given; `children(close)` the window's content. */
export function Popover({ button, label, align = "end", children }) {
  const [open, setOpen] = useState(false);
  const frame = useRef(null);
  const close = () => {
    setOpen(false);
    frame.current?.querySelector("[aria-expanded]")?.focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    frame.current.querySelector(".popover :is(a, button, input, select)")?.focus();
    const leave = (event) => {
      if (!frame.current?.contains(event.target)) setOpen(false);
    };
    addEventListener("pointerdown", leave);
    addEventListener("focusin", leave);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("focusin", leave);
    };
  }, [open]);
  const onKeyDown = (event) => {
    if (open && event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  };
  return html`<div class="popover-frame" ref=${frame} onKeyDown=${onKeyDown}>
    ${button({ "aria-expanded": String(open), "aria-haspopup": "dialog", onClick: () => setOpen(!open) }, open)}
    ${open && html`<div class=${`popover popover-${align}`} role="dialog" aria-label=${label}>${children(close)}</div>`}
  </div>`;
}
