/** Windows over the page: the browser's own dialog keeps the focus in and closes by Escape. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { complain } from "../core/toasts.js";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { Button, IconButton } from "./button.js";

/** A modal window, open while it is rendered. */
export function Dialog({ title, onClose, wide = false, children }) {
  const element = useRef(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog ref=${element} class=${`dialog ${wide ? "dialog-wide" : ""}`} aria-labelledby=${id}
    onCancel=${(event) => { event.preventDefault(); onClose(); }}
    onClick=${(event) => event.target === element.current && onClose()}>
    <div class="dialog-body">
      <header class="dialog-head">
        <h2 id=${id}>${title}</h2>
        <${IconButton} icon="close" label=${text.actions.close} onClick=${onClose} />
      </header>
      ${children}
    </div>
  </dialog>`;
}

/** Asks before something is done that can't be undone. `onConfirm` may take its time; a failure is said and the window stays. */
export function Confirm({ title, children, action = text.actions.delete, kind = "danger", onConfirm, onClose }) {
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (problem) {
      complain(problem);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <div class="dialog-text">${children}</div>
    <footer class="dialog-foot">
      <${Button} onClick=${onClose}>${text.actions.cancel}<//>
      <${Button} kind=${kind} busy=${busy} onClick=${confirm}>${action}<//>
    </footer>
  <//>`;
}
