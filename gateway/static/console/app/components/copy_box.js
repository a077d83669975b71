/** What is made here to be used elsewhere, such as a snippet or a secret: shown whole, with a button that copies it. */

import { useId } from "preact/hooks";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { Button } from "./button.js";
import { useCopy } from "./copy.js";

export function CopyBox({ label, value, hint }) {
  const id = useId();
  return html`<div class="copy-box" role="group" aria-labelledby=${id}>
    <p class="field-label" id=${id}>${label}</p>
    <div class="copy-value">
      <pre tabindex="0" aria-label=${label}><code>${value}</code></pre>
      <${CopyButton} value=${value} of=${label} />
    </div>
    ${hint && html`<p class="field-hint">${hint}</p>`}
  </div>`;
}

function CopyButton({ value, of }) {
  const { copied, copy } = useCopy(value);
  return html`<${Button} small icon=${copied ? "check" : "copy"} onClick=${copy}>
    ${copied ? text.actions.copied : text.actions.copy}<span class="visually-hidden"> ${of}</span>
  <//>`;
}
