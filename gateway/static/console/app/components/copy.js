/** A button that copies a value, and shows for a moment that it did. */

import { useEffect, useState } from "preact/hooks";
import { complain } from "../core/toasts.js";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { IconButton } from "./button.js";

const SHOWN = 2_000;

/** `label` says what is copied. */
export function Copy({ value, label = text.actions.copy, size = 16 }) {
  const { copied, copy } = useCopy(value);
  return html`<${IconButton} class="copy" icon=${copied ? "check" : "copy"} size=${size} label=${copied ? text.actions.copied : label} onClick=${copy} />`;
}

/** What a button that copies needs: `copy` for its click, and `copied` for a moment after it was done. */
export function useCopy(value) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), SHOWN);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (event) => {
    const button = event.currentTarget;
    const done = await toClipboard(value);
    setCopied(done);
    if (!done) complain(text.copying.failed);
    button.focus();
  };
  return { copied, copy };
}

/** Put a text on the clipboard; says whether it could be done. */
async function toClipboard(value) {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    return writeSelected(value);
  }
}

/** Pages without TLS have no clipboard but what is selected; under a modal window nothing can be. */
function writeSelected(value) {
  const field = document.createElement("textarea");
  field.value = value;
  field.className = "visually-hidden";
  (document.activeElement?.closest("dialog") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
