/** Several of many: a list of boxes to tick, with a field to search it by when it is long. */

import { useId, useState } from "preact/hooks";
import { html } from "../html.js";
import { text } from "../text/index.js";
import { TextField } from "./field.js";

const MANY = 12;

/** `options`: `[{value, label, detail?}]`; `chosen(value)` says which are ticked; `onToggle(value, checked)`; `columns` sets them side by side. */
export function CheckList({ label, hint, errors = [], options, chosen, onToggle, empty, columns = false }) {
  const [sought, setSought] = useState("");
  const id = useId();
  const wanted = sought.trim().toLowerCase();
  const shown = options.filter((option) => `${option.label} ${option.detail ?? ""}`.toLowerCase().includes(wanted));
  const long = options.length > MANY;
  const by = [hint && `${id}-hint`, errors.length > 0 && `${id}-errors`].filter(Boolean).join(" ");
  return html`<fieldset class="check-list" aria-describedby=${by || undefined}>
    <legend>${label} <span class="soft">${text.counts.chosen(options.filter(({ value }) => chosen(value)).length)}</span></legend>
    ${hint && html`<p id=${`${id}-hint`} class="field-hint">${hint}</p>`}
    ${long && html`<${TextField} label=${text.actions.search} hideLabel type="search" placeholder=${text.actions.search} value=${sought} onInput=${setSought} onKeyDown=${stay} />`}
    <div class=${`check-list-options ${long ? "check-list-long" : ""} ${columns ? "check-list-columns" : ""}`}>
      ${shown.map(
        ({ value, label: name, detail }) => html`<label key=${value} class="check-list-option">
          <input type="checkbox" checked=${chosen(value)} onChange=${(event) => onToggle(value, event.currentTarget.checked)} />
          <span><bdi>${name}</bdi></span>${detail && html`<span class="soft"><bdi>${detail}</bdi></span>`}
        </label>`,
      )}
      ${shown.length === 0 && html`<p class="soft">${options.length === 0 ? empty : text.states.nothingFound}</p>`}
    </div>
    ${errors.length > 0 && html`<p id=${`${id}-errors`} class="field-errors" role="alert">${errors.join(" ")}</p>`}
  </fieldset>`;
}

/** Enter looks for something here, and doesn't send the form around it. */
function stay(event) {
  if (event.key === "Enter") event.preventDefault();
}
