/** Windows over the page: the browser's own dialog keeps the focus in and closes by Escape. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { explain } from "../core/toasts.js";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { Button, IconButton } from "./button.js";

/** A modal window, open while it is rendered; a `firm` one isn't closed by a click beside it, which would lose what is in it. */
export function Dialog({ title, onClose, wide = false, firm = false, children }) {
  const element = useRef(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    // Back to where it was, unless what the window did has led it elsewhere.
    return () => document.activeElement === document.body && before?.focus?.();
  }, []);
  return html`<dialog ref=${element} class=${`dialog ${wide ? "dialog-wide" : ""}`} aria-labelledby=${id}
    onCancel=${(event) => {
      event.preventDefault();
      onClose();
    }}
    onClick=${(event) => !firm && event.target === element.current && onClose()}>
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
  const [problem, setProblem] = useState(null);
  const confirm = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await onConfirm();
      onClose();
    } catch (caught) {
      setProblem(caught);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <div class="dialog-text">${children}</div>
    ${problem && html`<p class="form-problem" role="alert">${explain(problem)}</p>`}
    <footer class="dialog-foot">
      <${Button} onClick=${onClose}>${text.actions.cancel}<//>
      <${Button} kind=${kind} busy=${busy} onClick=${confirm}>${action}<//>
    </footer>
  <//>`;
}
