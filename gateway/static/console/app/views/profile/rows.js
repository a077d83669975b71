/** Rows of what is known: a name, its value, and what belongs to it. */

import { Copy } from "../../components/copy.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";

/** One row of a `<dl class="rows">`; nothing where there is no value. `copied` is what its button copies. */
export function Row({ label, hint, copied, children }) {
  if (children === null || children === undefined || children === "") return null;
  return html`<div class="row">
    <dt>${label}</dt>
    <dd>
      <div class="row-value">
        <span class="row-text" dir="auto">${children}</span>
        ${copied && html`<${Copy} value=${copied} label=${text.profile.personal.copy(label)} />`}
      </div>
      ${hint && html`<p class="row-hint">${hint}</p>`}
    </dd>
  </div>`;
}
