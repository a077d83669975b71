/** The form of a condition block: its cases, and the tests that they make, combined as one likes. */

import { useState } from "preact/hooks";
import { Button, IconButton } from "../../components/button.js";
import { Select, TextArea, TextField } from "../../components/field.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { Whom } from "./assign_form.js";
import { problemsUnder, textsAt } from "./check.js";
import { isObject } from "./document.js";
import { Complaints, Json, RowTools, Way, asText } from "./form_parts.js";
import { newCase, newTest } from "./kinds.js";

const MAX_CASES = 20;
const MAX_TESTS = 50;
const MAX_DEPTH = 5;
const RELATIONS = {
  field: ["set", "empty", "equal", "unequal", "one_of", "contains", "starts_with", "above", "below"],
  country: ["one_of", "none_of", "known"],
  url: ["contains", "starts_with", "equal"],
  business_hours: ["open", "closed"],
  agents: ["available", "unavailable"],
};
const LISTS = ["one_of", "none_of"];
const VALUELESS = ["set", "empty", "known"];

export function CaseFields({ form }) {
  const words = text.flow.form;
  const cases = Array.isArray(form.block.cases) ? form.block.cases : [];
  const change = (changed) => form.edit(["cases"], changed);
  return html`<fieldset class="flow-rows">
    <legend>${words.cases}</legend>
    <${Complaints} texts=${textsAt(form.problems, "cases")} />
    ${cases.map(
      (each, index) => html`<div key=${index} class="flow-row" role="group" aria-label=${words.case(index + 1)}>
        <div class="flow-row-words">
          <${Test} test=${each?.if} depth=${1} problems=${problemsUnder(form.problems, `cases.${index}.if`)}
            onChange=${(test, part) => form.edit(["cases", index, "if"], test, part)} />
          <${Way} form=${form} path=${["cases", index, "next"]} label=${words.caseNext} />
        </div>
        <${RowTools} what=${words.case(index + 1)} removeLabel=${words.removeCase(index + 1)} index=${index} values=${cases} onChange=${change} />
        <${Complaints} texts=${textsAt(form.problems, `cases.${index}`)} />
      </div>`,
    )}
    ${cases.length < MAX_CASES && html`<div><${Button} small icon="plus" onClick=${() => change([...cases, newCase()])}>${words.addCase}<//></div>`}
  </fieldset>`;
}

/** One test, and those that it is made of. `onChange(test, part)`: `part` names what was changed in it. */
function Test({ test, depth, problems, onChange }) {
  const words = text.flow.test;
  const subject = subjectOf(test);
  if (subject === null) {
    return html`<div class="flow-test">
      <p>${words.unreadable}</p>
      <${Complaints} texts=${problems.map(({ message }) => message)} />
      <${Json} label=${words.asJson} value=${test ?? null} onChange=${(read) => onChange(read, "json")} />
    </div>`;
  }
  const Fields = FIELDS[subject];
  const names = Object.keys(words.subjects).filter(
    (each) => depth < MAX_DEPTH || !["all", "any", "not"].includes(each) || each === subject,
  );
  const options = names.map((value) => ({ value, label: words.subjects[value] }));
  return html`<div class="flow-test">
    <${Select} label=${words.subject} value=${subject} options=${options} errors=${textsAt(problems, "on")}
      onInput=${(chosen) => onChange(changeSubject(test, chosen), "subject")} />
    <${Fields} test=${test} depth=${depth} problems=${problems} onChange=${onChange} set=${(changes, part) => onChange({ ...test, ...changes }, part)} />
    <${Complaints} texts=${unshown(subject, problems)} />
  </div>`;
}

const FIELDS = {
  all: (props) => html`<${Parts} joint="all" ...${props} />`,
  any: (props) => html`<${Parts} joint="any" ...${props} />`,
  not: ({
    test,
    depth,
    problems,
    onChange,
  }) => html`<${Test} test=${test.not} depth=${depth + 1} problems=${problemsUnder(problems, "not")}
    onChange=${(part, what) => onChange({ ...test, not: part }, `not.${what}`)} />`,
  field: ({ test, problems, set }) => html`
    <${TextField} label=${text.flow.test.field} value=${asText(test.field)} maxlength="64" errors=${textsAt(problems, "field")}
      onInput=${(field) => set({ field }, "field")} />
    <${Relation} subject="field" test=${test} problems=${problems} set=${set} />
    <${Value} test=${test} problems=${problems} set=${set} />
  `,
  country: ({ test, problems, set }) => html`
    <${Relation} subject="country" test=${test} problems=${problems} set=${set} />
    <${Value} test=${test} problems=${problems} set=${set} countries />
  `,
  url: ({ test, problems, set }) => html`
    <${Select} label=${text.flow.test.page} value=${asText(test.page ?? "last")} options=${named(text.flow.test.pages)} errors=${textsAt(problems, "page")}
      onInput=${(page) => set({ page }, "page")} />
    <${Relation} subject="url" test=${test} problems=${problems} set=${set} />
    <${Value} test=${test} problems=${problems} set=${set} />
  `,
  business_hours: (props) => html`<${Relation} subject="business_hours" ...${props} />`,
  agents: ({ test, problems, set }) => html`
    <${Whom} named=${test} problems=${problems} set=${(chosen) => set(chosen, "whom")} />
    <${Relation} subject="agents" test=${test} problems=${problems} set=${set} />
  `,
};

function Parts({ joint, test, depth, problems, onChange }) {
  const words = text.flow.test;
  const parts = test[joint];
  const change = (changed, part) => onChange({ ...test, [joint]: changed }, part);
  return html`<ul class="flow-tests">
    ${parts.map(
      (part, index) => html`<li key=${index}>
        <${Test} test=${part} depth=${depth + 1} problems=${problemsUnder(problems, `${joint}.${index}`)}
          onChange=${(changed, what) => change(parts.with(index, changed), `${joint}.${index}.${what}`)} />
        <${IconButton} icon="trash" size=${16} label=${words.remove} onClick=${() => change(parts.toSpliced(index, 1))} />
      </li>`,
    )}
    ${parts.length < MAX_TESTS && html`<li><${Button} small icon="plus" onClick=${() => change([...parts, newTest("field")])}>${words.add}<//></li>`}
  </ul>`;
}

function Relation({ subject, test, problems, set }) {
  const words = text.flow.test;
  const options = RELATIONS[subject].map((value) => ({ value, label: words.relations[value] }));
  return html`<${Select} label=${words.is} value=${asText(test.is)} options=${options} errors=${textsAt(problems, "is")}
    onInput=${(is) => set({ is, value: valueFor(is, test.value) }, "is")} />`;
}

function Value({ test, problems, set, countries = false }) {
  const words = text.flow.test;
  if (VALUELESS.includes(test.is) && test.value === undefined) return null;
  const errors = problemsUnder(problems, "value").map(({ message }) => message);
  if (countries) {
    const read = (typed) =>
      typed
        .split(/[\s,;]+/)
        .filter(Boolean)
        .map((code) => code.toUpperCase());
    return html`<${Listed} label=${words.countries} value=${test.value} join=", " read=${read} errors=${errors} set=${set} />`;
  }
  if (LISTS.includes(test.is)) {
    const read = (typed) =>
      typed
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
    return html`<${Listed} label=${words.values} value=${test.value} join=${"\n"} read=${read} errors=${errors} set=${set} />`;
  }
  const compares = test.is === "above" || test.is === "below";
  const read = (typed) => (compares && typed.trim() !== "" && !Number.isNaN(Number(typed)) ? Number(typed) : typed);
  return html`<${TextField} label=${words.value} hint=${compares ? words.number : undefined} value=${asText(test.value)} errors=${errors}
    onInput=${(typed) => set({ value: read(typed) }, "value")} />`;
}

/** Values of a list as they were typed: what lies between them is kept while it is written. */
function Listed({ label, value, join, read, errors, set }) {
  const [typed, setTyped] = useState("");
  const values = Array.isArray(value) ? value.map(asText) : [];
  const shown = JSON.stringify(read(typed)) === JSON.stringify(values) ? typed : values.join(join);
  const input = (written) => {
    setTyped(written);
    set({ value: read(written) }, "value");
  };
  return html`<${TextArea} label=${label} rows=${2} value=${shown} errors=${errors} onInput=${input} />`;
}

function subjectOf(test) {
  if (!isObject(test)) return null;
  for (const joint of ["all", "any"]) if (Array.isArray(test[joint])) return joint;
  if (Object.hasOwn(test, "not")) return "not";
  return Object.hasOwn(RELATIONS, test.on) ? test.on : null;
}

/** Another subject. What is combined, or stops being so, keeps the test it has. */
function changeSubject(test, chosen) {
  const present = subjectOf(test);
  const inner = { all: () => test.all, any: () => test.any, not: () => [test.not] }[present]?.() ?? [test];
  if (chosen === "all" || chosen === "any") return { [chosen]: inner };
  if (chosen === "not") return { not: present === "all" || present === "any" ? test : inner[0] };
  return newTest(chosen);
}

/** The value that a relation takes, made from the one there was. */
function valueFor(relation, value) {
  if (["set", "empty", "known", "open", "closed", "available", "unavailable"].includes(relation)) return undefined;
  if (LISTS.includes(relation)) return Array.isArray(value) ? value : value === undefined ? [] : [value];
  return Array.isArray(value) ? (value[0] ?? "") : (value ?? "");
}

function named(words) {
  return Object.entries(words).map(([value, label]) => ({ value, label }));
}

/** What no field of the subject shows. */
function unshown(subject, problems) {
  const shown = { field: ["on", "field", "is", "value"], country: ["on", "is", "value"], url: ["on", "page", "is", "value"] };
  const known = {
    business_hours: ["on", "is"],
    agents: ["on", "is", "agents", "team"],
    all: ["all"],
    any: ["any"],
    not: ["not"],
    ...shown,
  }[subject];
  const own = ({ place }) =>
    !known.includes(place.split(".")[0]) || (place === subject && ["all", "any", "not"].includes(subject));
  return problems.filter(own).map(({ message }) => message);
}
