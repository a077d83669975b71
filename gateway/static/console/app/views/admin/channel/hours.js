/** When a channel is open: a time zone and the openings of each weekday, or always. */

import { Button, IconButton } from "../../../components/button.js";
import { Checkbox, Select } from "../../../components/field.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

const PATH = "business_hours";
const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const OFFICE = ["tuesday", "wednesday", "thursday", "friday"];
const USUAL = ["09:00", "17:00"];
const MAX = 24;

/** `value`: as the API has it, null for always. `errors`: a problem's. */
export function Hours({ value, onChange, errors }) {
  const words = text.channels.hours;
  const switchAlways = (always) => onChange(always ? null : startingHours());
  return html`<fieldset class="channel-rows">
    <legend>${words.title}</legend>
    <p class="field-hint">${words.hint}</p>
    <${Checkbox} label=${words.always} checked=${value === null} onInput=${switchAlways} />
    ${value !== null && html`<${Week} value=${value} onChange=${onChange} errors=${errors} />`}
    ${errors[PATH] && html`<p class="field-errors" role="alert">${errors[PATH].join(" ")}</p>`}
  </fieldset>`;
}

function Week({ value, onChange, errors }) {
  const words = text.channels.hours;
  const setDays = (days) => onChange({ ...value, weekly: { ...value.weekly, ...days } });
  return html`
    <${Select} label=${words.zone} value=${value.time_zone} options=${zones(value.time_zone)} errors=${errors[`${PATH}.time_zone`]}
      onInput=${(zone) => onChange({ ...value, time_zone: zone })} />
    <ul class="week">
      ${DAYS.map(
        (
          day,
        ) => html`<${Day} key=${day} day=${words.days[day]} spans=${value.weekly[day] ?? []} errors=${under(errors, `${PATH}.weekly.${day}`)}
          onChange=${(spans) => setDays({ [day]: spans })} />`,
      )}
    </ul>
    ${
      value.weekly.monday?.length > 0 &&
      html`<div>
      <${Button} small kind="quiet" onClick=${() => setDays(Object.fromEntries(OFFICE.map((day) => [day, value.weekly.monday])))}>${words.same}<//>
    </div>`
    }
  `;
}

function Day({ day, spans, errors, onChange }) {
  const words = text.channels.hours;
  const set = (index, side, time) => onChange(spans.with(index, spans[index].with(side, time)));
  return html`<li class="day">
    <p class="day-name">${day}</p>
    <div class="day-spans">
      ${spans.length === 0 && html`<p class="soft">${words.closed}</p>`}
      ${spans.map(
        ([opens, closes], index) => html`<div key=${index} class="day-span">
          <${TimeInput} label=${words.opens(day, index + 1)} value=${opens} onChange=${(time) => set(index, 0, time)} />
          <span aria-hidden="true">–</span>
          <${TimeInput} label=${words.closes(day, index + 1)} value=${closes} closing onChange=${(time) => set(index, 1, time)} />
          <${IconButton} icon="close" label=${words.remove(day, index + 1)} onClick=${() => onChange(spans.toSpliced(index, 1))} />
        </div>`,
      )}
      ${errors.length > 0 && html`<p class="field-errors" role="alert">${errors.join(" ")}</p>`}
    </div>
    ${spans.length < MAX && html`<${IconButton} icon="plus" label=${words.add(day)} onClick=${() => onChange([...spans, followUp(spans)])} />`}
  </li>`;
}

/** A time of day in 24 hours; not the browser's own input, which knows no 24:00. */
function TimeInput({ label, value, closing = false, onChange }) {
  return html`<input class="input time-input" type="text" inputmode="numeric" maxlength="5" placeholder="09:00" aria-label=${label} value=${value}
    onInput=${(event) => onChange(event.currentTarget.value)} onBlur=${() => onChange(readTime(value, closing))} />`;
}

/** `9` is meant as 09:00, `930` as 09:30, midnight at the end of an opening as 24:00; what can't be read stays as it is. */
function readTime(typed, closing) {
  const match = /^(\d{1,2})(?:[:.h]?(\d{2}))?$/.exec(typed.trim());
  if (match === null) return typed;
  const time = `${match[1].padStart(2, "0")}:${match[2] ?? "00"}`;
  return closing && time === "00:00" ? "24:00" : time;
}

function followUp(spans) {
  const last = spans.at(-1)?.[1];
  return last === undefined || last >= "23:00" ? USUAL : [last, "24:00"];
}

function startingHours() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return { time_zone: timeZone, weekly: Object.fromEntries(["monday", ...OFFICE].map((day) => [day, [USUAL]])) };
}

function zones(present) {
  const known = new Set([present, "UTC", ...Intl.supportedValuesOf("timeZone")]);
  return [...known].sort().map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }));
}

/** All that is said of a path and what lies under it. */
function under(errors, path) {
  return Object.entries(errors).flatMap(([place, words]) => (place === path || place.startsWith(`${path}.`) ? words : []));
}
