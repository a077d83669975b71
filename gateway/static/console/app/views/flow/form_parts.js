/** What forms of blocks are made of. */

import { useState } from "preact/hooks";
import { IconButton } from "../../components/button.js";
import { Select, TextArea, TextField } from "../../components/field.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { textsAt } from "./check.js";
import { WAIT, valueAt } from "./document.js";

const NEW = "\n"; // no block can be called that
const END = "";

/** A text of any length that may be missing: `null` when it is empty and `optional`. `form`: see BlockForm. */
export function Text({ form, path, label, hint, optional = false, rows = 2, max = 2_000 }) {
  const place = path.join(".");
  return html`<${TextArea} label=${label} hint=${hint} optional=${optional} rows=${rows} maxlength=${max} value=${asText(valueAt(form.block, path))}
    errors=${textsAt(form.problems, place)} onInput=${(value) => form.edit(path, value === "" && optional ? null : value)} />`;
}

/** A short text. `suggestions`: what others wrote in such a field. */
export function Line({ form, path, label, hint, optional = false, hideLabel = false, max }) {
  const place = path.join(".");
  return html`<${TextField} label=${label} hint=${hint} optional=${optional} hideLabel=${hideLabel} maxlength=${max} value=${asText(valueAt(form.block, path))}
    errors=${textsAt(form.problems, place)} onInput=${(value) => form.edit(path, value === "" && optional ? null : value)} />`;
}

/** A whole number, which is `null` when it is empty. What is no number stays as it was typed, and the check says so. */
export function Count({ form, path, label, hint, optional = false }) {
  const typed = valueAt(form.block, path);
  const read = (value) => (value.trim() === "" ? null : Number.isNaN(Number(value)) ? value : Number(value));
  return html`<${TextField} label=${label} hint=${hint} optional=${optional} inputmode="numeric" value=${asText(typed)}
    errors=${textsAt(form.problems, path.join("."))} onInput=${(value) => form.edit(path, read(value))} />`;
}

/** One of a few values; one that isn't among them is shown as it is. */
export function Choice({ form, path, label, words, fallback }) {
  const value = valueAt(form.block, path) ?? fallback;
  const known = Object.entries(words).map(([each, said]) => ({ value: each, label: said }));
  const options = Object.hasOwn(words, value) ? known : [...known, { value: asText(value), label: asText(value) }];
  return html`<${Select} label=${label} value=${asText(value)} options=${options} errors=${textsAt(form.problems, path.join("."))}
    onInput=${(chosen) => form.edit(path, chosen)} />`;
}

/** Where a way leads: to a block, to none, or to one that is made for it. */
export function Way({ form, path, label, end = text.flow.form.end, hideLabel = false }) {
  const words = text.flow.form;
  const none = path[0] === "unavailable" ? WAIT : null;
  const value = valueAt(form.block, path);
  const target = typeof value === "string" && value !== none ? value : END;
  const known = target === END || form.names.includes(target);
  const options = [
    { value: END, label: end },
    ...(known ? [] : [{ value: target, label: text.flow.ways.missing(target) }]),
    ...form.names.map((name) => ({ value: name, label: name })),
    { value: NEW, label: words.newBlock },
  ];
  const choose = ({ currentTarget: select }) => {
    const chosen = select.value;
    if (chosen !== NEW) return form.edit(path, chosen === END ? none : chosen);
    select.value = target; // until there is one, which may be given up again
    return form.onNew({ from: form.name, path });
  };
  return html`<${Select} label=${label} hideLabel=${hideLabel} value=${target} options=${options} errors=${textsAt(form.problems, path.join("."))} onChange=${choose} />`;
}

/** Moves a row of a list up or down, or takes it away. */
export function RowTools({ what, removeLabel, index, values, onChange }) {
  const words = text.flow.form;
  const move = (step) => onChange(values.with(index, values[index + step]).with(index + step, values[index]));
  return html`<div class="flow-row-tools">
    <${IconButton} icon="up" size=${16} label=${words.up(what)} disabled=${index === 0} onClick=${() => move(-1)} />
    <${IconButton} icon="down" size=${16} label=${words.down(what)} disabled=${index === values.length - 1} onClick=${() => move(1)} />
    <${IconButton} icon="trash" size=${16} label=${removeLabel} onClick=${() => onChange(values.toSpliced(index, 1))} />
  </div>`;
}

/** Whatever there is, as JSON, taken over whenever it can be read. */
export function Json({ label, value, onChange }) {
  const [typed, setTyped] = useState(null);
  const input = (written) => {
    setTyped(written);
    try {
      onChange(JSON.parse(written));
      setTyped(null);
    } catch {
      // Not yet.
    }
  };
  return html`<${TextArea} label=${label} rows=${8} class="input flow-json-part" spellcheck="false" value=${typed ?? JSON.stringify(value, null, 2)}
    errors=${typed === null ? [] : [text.flow.block.badJson]} onInput=${input} />`;
}

/** Problems at a place that no field shows. */
export function Complaints({ texts }) {
  return texts.length > 0 && html`<p class="field-errors" role="alert">${texts.join(" ")}</p>`;
}

export function asText(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
