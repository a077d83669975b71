/** What can be filled in: a label, the control, a hint, and what is wrong with it. */

import { useId } from "preact/hooks";
import { html } from "../html.js";
import { text } from "../text/index.js";

/** `errors`: texts, as in a problem's `errors[path]`. `optional` says so beside the label. */
function Frame({ id, label, hint, errors = [], optional = false, hideLabel = false, children }) {
  return html`<div class=${`field ${errors.length ? "field-wrong" : ""}`}>
    <label for=${id} class=${hideLabel ? "visually-hidden" : "field-label"}>
      ${label}${optional && html` <span class="soft">(${text.optional})</span>`}
    </label>
    ${children}
    ${hint && html`<p id=${`${id}-hint`} class="field-hint">${hint}</p>`}
    ${errors.length > 0 && html`<p id=${`${id}-errors`} class="field-errors" role="alert">${errors.join(" ")}</p>`}
  </div>`;
}

function described(id, { hint, errors = [] }) {
  const by = [hint && `${id}-hint`, errors.length > 0 && `${id}-errors`].filter(Boolean).join(" ");
  return { "aria-describedby": by || undefined, "aria-invalid": errors.length > 0 || undefined };
}

/** One line of text. `onInput(value)`. */
export function TextField({ label, hint, errors, optional, hideLabel, value, onInput, type = "text", inputRef, ...rest }) {
  const id = useId();
  return html`<${Frame} ...${{ id, label, hint, errors, optional, hideLabel }}>
    <input id=${id} class="input" ref=${inputRef} type=${type} value=${value} dir=${type === "text" ? "auto" : undefined}
      onInput=${(event) => onInput(event.currentTarget.value)} ...${described(id, { hint, errors })} ...${rest} />
  <//>`;
}

/** Several lines of text. `onInput(value)`. */
export function TextArea({ label, hint, errors, optional, hideLabel, value, onInput, rows = 3, inputRef, ...rest }) {
  const id = useId();
  return html`<${Frame} ...${{ id, label, hint, errors, optional, hideLabel }}>
    <textarea id=${id} class="input" ref=${inputRef} rows=${rows} value=${value} dir="auto"
      onInput=${(event) => onInput(event.currentTarget.value)} ...${described(id, { hint, errors })} ...${rest}></textarea>
  <//>`;
}

/** One of a few. `options`: `[{value, label, disabled?}]`; `onInput(value)`. */
export function Select({ label, hint, errors, optional, hideLabel, value, options, onInput, ...rest }) {
  const id = useId();
  return html`<${Frame} ...${{ id, label, hint, errors, optional, hideLabel }}>
    <select id=${id} class="input" value=${value} onChange=${(event) => onInput(event.currentTarget.value)}
      ...${described(id, { hint, errors })} ...${rest}>
      ${options.map((option) => html`<option key=${option.value} value=${option.value} disabled=${option.disabled} selected=${option.value === value}>${option.label}</option>`)}
    </select>
  <//>`;
}

/** Yes or no. `onInput(checked)`. */
export function Checkbox({ label, hint, checked, onInput, ...rest }) {
  const id = useId();
  return html`<div class="checkbox">
    <input id=${id} type="checkbox" checked=${checked} onChange=${(event) => onInput(event.currentTarget.checked)}
      ...${described(id, { hint })} ...${rest} />
    <label for=${id}>${label}</label>
    ${hint && html`<p id=${`${id}-hint`} class="field-hint">${hint}</p>`}
  </div>`;
}
