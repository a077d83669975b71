/** A block's form: what its type can say and do. What the form doesn't know stays as it is. */

import { Button } from "../../components/button.js";
import { Select, TextField } from "../../components/field.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { AssignFields } from "./assign_form.js";
import { CaseFields } from "./condition_form.js";
import { textsAt } from "./check.js";
import { isObject } from "./document.js";
import { Complaints, Count, Json, Line, RowTools, Text, Way, asText } from "./form_parts.js";
import { KINDS, MAX_OPTIONS, TYPES, isShown, newOption, newOptions } from "./kinds.js";

/**
 * `form`: `{name, block, names, problems, edit(path, value), replace(block), onNew(spot)}`; `names` in order, `problems` with their places
 * within the block.
 */
export function BlockForm({ form }) {
  const { block, problems } = form;
  if (!isObject(block) || !TYPES.includes(block.type)) return html`<${UnknownBlock} form=${form} />`;
  const Fields = FIELDS[block.type];
  const others = problems.filter(({ place }) => !isShown(block.type, place.split(".")[0]));
  return html`<div class="flow-form">
    <${Complaints} texts=${others.map(({ place, message }) => (place ? `${place}: ${message}` : message))} />
    <${Fields} form=${form} />
  </div>`;
}

function UnknownBlock({ form }) {
  const words = text.flow.block;
  const type = isObject(form.block) ? asText(form.block.type) : null;
  return html`<div class="flow-form">
    <p>${type === null ? words.unreadable : words.unknownType(type)}</p>
    <${Complaints} texts=${form.problems.map(({ place, message }) => (place ? `${place}: ${message}` : message))} />
    <${Json} label=${words.asJson} value=${form.block} onChange=${form.replace} />
  </div>`;
}

const Next = ({ form }) => html`<${Way} form=${form} path=${["next"]} label=${text.flow.form.next} />`;
const Said = ({ form, optional }) =>
  html`<${Text} form=${form} path=${["text"]} label=${text.flow.form.text} hint=${text.flow.form.textHint} optional=${optional} />`;

const FIELDS = {
  message: ({ form }) => html`<${Said} form=${form} /><${Next} form=${form} />`,
  question: QuestionFields,
  buttons: ButtonsFields,
  condition: ({ form }) => html`
    <${CaseFields} form=${form} />
    <${Way} form=${form} path=${["else"]} label=${text.flow.form.else} />
  `,
  set: SetFields,
  ticket: ({ form }) => html`
    <${Line} form=${form} path=${["subject"]} label=${text.flow.form.subject} hint=${text.flow.form.textHint} max=${200} />
    <${Text} form=${form} path=${["description"]} label=${text.flow.form.description} optional />
    <${Next} form=${form} />
  `,
  delay: ({ form }) => html`
    <${Count} form=${form} path=${["seconds"]} label=${text.flow.form.seconds} hint=${text.flow.form.secondsHint} />
    <${Next} form=${form} />
  `,
  assign: ({ form }) => html`<${Said} form=${form} optional /><${AssignFields} form=${form} />`,
  goto: Next,
  close: ({ form }) => html`<${Said} form=${form} optional />`,
};

function QuestionFields({ form }) {
  const words = text.flow.form;
  const { block } = form;
  const setKind = (kind) => {
    const { options, ...rest } = block;
    // Only a choice has options: the server refuses them elsewhere.
    const changed = { ...rest, kind, ...(kind === "choice" && { options: options ?? newOptions(false) }) };
    if (KINDS.slice(1, 4).includes(kind)) changed.field = kind;
    form.replace(changed, "kind");
  };
  const kinds = KINDS.map((kind) => ({ value: kind, label: text.flow.kinds[kind] }));
  if (!KINDS.includes(block.kind)) kinds.push({ value: asText(block.kind), label: asText(block.kind) });
  return html`
    <${Said} form=${form} />
    <div class="flow-form-pair">
      <${Select} label=${words.kind} value=${asText(block.kind)} options=${kinds} errors=${textsAt(form.problems, "kind")} onInput=${setKind} />
      <${Line} form=${form} path=${["field"]} label=${words.field} hint=${words.fieldHint} max=${64} />
    </div>
    ${(block.kind === "choice" || block.options !== undefined) && html`<${Options} form=${form} withNext=${false} />`}
    <${Retries} form=${form} />
    <${Next} form=${form} />
  `;
}

function ButtonsFields({ form }) {
  return html`
    <${Said} form=${form} />
    <${Options} form=${form} withNext />
    <${Line} form=${form} path=${["field"]} label=${text.flow.form.choiceField} optional max=${64} />
    <${Retries} form=${form} />
  `;
}

function Retries({ form }) {
  const words = text.flow.form;
  return html`
    <${Text} form=${form} path=${["retry"]} label=${words.retry} hint=${words.retryHint} optional rows=${1} />
    <div class="flow-form-pair">
      <${Count} form=${form} path=${["retries"]} label=${words.retries} hint=${words.retriesHint} optional />
      <${Way} form=${form} path=${["otherwise"]} label=${words.otherwise} end=${words.human} />
    </div>
  `;
}

function Options({ form, withNext }) {
  const words = text.flow.form;
  const options = Array.isArray(form.block.options) ? form.block.options : [];
  const change = (changed) => form.edit(["options"], changed);
  return html`<fieldset class="flow-rows">
    <legend>${words.options}</legend>
    <${Complaints} texts=${textsAt(form.problems, "options")} />
    ${options.map((option, index) => {
      const label = asText(option?.label) || words.option(index + 1);
      return html`<div key=${index} class="flow-row" role="group" aria-label=${words.option(index + 1)}>
        <div class=${withNext ? "flow-form-triple" : "flow-form-pair"}>
          <${Line} form=${form} path=${["options", index, "label"]} label=${words.label} max=${80} />
          <${Line} form=${form} path=${["options", index, "value"]} label=${words.value} max=${200} />
          ${withNext && html`<${Way} form=${form} path=${["options", index, "next"]} label=${words.optionNext} />`}
        </div>
        <${RowTools} what=${label} removeLabel=${words.removeOption(label)} index=${index} values=${options} onChange=${change} />
        <${Complaints} texts=${textsAt(form.problems, `options.${index}`)} />
      </div>`;
    })}
    ${
      options.length < MAX_OPTIONS &&
      html`<div><${Button} small icon="plus" onClick=${() => change([...options, newOption(options, withNext)])}>${words.addOption}<//></div>`
    }
  </fieldset>`;
}

function SetFields({ form }) {
  const words = text.flow.form;
  const { value } = form.block;
  const type = typeof value === "string" ? "text" : typeof value === "number" ? "number" : String(value ?? null);
  const start = { text: "", number: 0, true: true, false: false, null: null };
  const types = Object.entries(words.valueTypes).map(([each, label]) => ({ value: each, label }));
  const errors = textsAt(form.problems, "value");
  return html`
    <${Line} form=${form} path=${["field"]} label=${words.setField} hint=${words.fieldHint} max=${64} />
    <${Select} label=${words.valueType} value=${type} options=${types} errors=${type === "text" || type === "number" ? [] : errors}
      onInput=${(chosen) => form.edit(["value"], start[chosen])} />
    ${type === "text" && html`<${Text} form=${form} path=${["value"]} label=${words.setValue} hint=${words.textHint} />`}
    ${
      type === "number" &&
      html`<${TextField} label=${words.setNumber} type="number" step="any" value=${String(value)} errors=${errors}
      onInput=${(typed) => typed !== "" && form.edit(["value"], Number(typed))} />`
    }
    <${Next} form=${form} />
  `;
}
