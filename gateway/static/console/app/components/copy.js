/** A button that copies a value, and shows for a moment that it did. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { IconButton } from "./button.js";

const SHOWN = 2_000;

/** `label` says what is copied. */
export function Copy({ value, label = text.actions.copy, size = 16 }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), SHOWN);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (event) => {
    const button = event.currentTarget;
    setCopied(await toClipboard(value));
    button.focus();
  };
  return html`<${IconButton} class="copy" icon=${copied ? "check" : "copy"} size=${size} label=${copied ? text.actions.copied : label} onClick=${copy} />`;
}

/** Put a text on the clipboard; says whether it could be done. */
export async function toClipboard(value) {
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
