/** The websites that may use a channel: a list that is edited row by row. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { Button, IconButton } from "../../../components/button.js";
import { TextField } from "../../../components/field.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

const MAX = 50;
const PATH = "allowed_origins";

/** `errors`: a problem's, where `allowed_origins.1` is what is wrong with the second row. */
export function Origins({ value, onChange, errors }) {
  const words = text.channels.origins;
  const list = useRef(null);
  const added = useRef(false);
  useLayoutEffect(() => {
    if (added.current) [...list.current.querySelectorAll(".row-editor input")].at(-1)?.focus();
    added.current = false;
  }, [value.length]);
  const add = () => {
    added.current = true;
    onChange([...value, ""]);
  };
  return html`<fieldset class="channel-rows" ref=${list}>
    <legend>${words.title}</legend>
    <p class="field-hint">${words.hint}</p>
    ${value.length === 0 && html`<p>${words.any}</p>`}
    ${value.map(
      (origin, index) => html`<div key=${index} class="row-editor">
        <${TextField} hideLabel label=${words.label(index + 1)} value=${origin} type="url" placeholder="https://shop.example"
          errors=${errors[`${PATH}.${index}`]} onInput=${(changed) => onChange(value.with(index, changed))} />
        <${IconButton} icon="close" label=${words.remove(origin)} onClick=${() => onChange(value.toSpliced(index, 1))} />
      </div>`,
    )}
    ${errors[PATH] && html`<p class="field-errors" role="alert">${errors[PATH].join(" ")}</p>`}
    ${value.length < MAX && html`<div><${Button} small icon="plus" onClick=${add}>${words.add}<//></div>`}
  </fieldset>`;
}

/** As they are sent: without blanks, empty rows, and the slash with which an address that was pasted ends. */
export function tidyOrigins(value) {
  return value.map((origin) => origin.trim().replace(/^(https?:\/\/[^/]+)\/$/i, "$1")).filter((origin) => origin !== "");
}
