/** The draft, tried out: a chat with the bot as it is written now. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../components/button.js";
import { Select, TextField } from "../../components/field.js";
import { explain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { MAX_INPUTS } from "./trial.js";

export function TrialPanel({ desk }) {
  const words = text.flow.trial;
  const { trial, editor } = desk;
  const result = trial.result.value;
  if (editor.flow.value === null)
    return html`<section class="flow-trial" aria-label=${words.title}><p class="soft">${words.none}</p></section>`;
  return html`<section class="flow-trial" aria-label=${words.title}>
    <header class="flow-trial-head">
      <div>
        <h3>${words.title}</h3>
        <p class="field-hint">${words.lead}</p>
      </div>
      <${IconButton} icon="back" label=${words.back} disabled=${trial.inputs.value.length === 0} onClick=${() => trial.back()} />
      <${IconButton} icon="history" label=${words.restart} disabled=${trial.inputs.value.length === 0} onClick=${() => trial.restart()} />
    </header>
    <${Options} trial=${trial} />
    <${Notices} desk=${desk} />
    ${result === null ? html`<p class="soft">${words.waiting}</p>` : html`<${Transcript} desk=${desk} result=${result} />`}
    ${result !== null && html`<${Answer} trial=${trial} result=${result} />`}
    ${result !== null && html`<${Known} fields=${result.fields} />`}
  </section>`;
}

function Notices({ desk }) {
  const words = text.flow.trial;
  const { trial, check } = desk;
  const unused = trial.result.value?.unused_inputs ?? 0;
  const problem = trial.problem.value;
  const invalid = check.current.value && !check.result.value.valid;
  return html`<div class="flow-trial-notices" role="status">
    ${invalid && html`<p class="flow-notice">${words.invalid}</p>`}
    ${problem !== null && !invalid && html`<p class="flow-notice">${explain(problem)}</p>`}
    ${unused > 0 && html`<p class="flow-notice">${words.unused(unused)}</p>`}
  </div>`;
}

function Transcript({ desk, result }) {
  const words = text.flow.trial;
  const lines = useRef(null);
  useEffect(() => {
    lines.current.scrollTop = lines.current.scrollHeight;
  }, [result]);
  return html`
    <div class="flow-lines" ref=${lines} role="log" aria-label=${words.transcript} tabindex="0">
      ${result.transcript.map((line, index) => html`<${Line} key=${index} line=${line} desk=${desk} />`)}
    </div>
    <p class="flow-trial-state">
      ${words.states[result.state] ?? result.state}
      ${result.block !== null && html` ${words.at} <${BlockLink} desk=${desk} name=${result.block} />`}
    </p>
  `;
}

function Line({ line, desk }) {
  return html`<div class=${`flow-line flow-line-${line.author}`}>
    <span class="visually-hidden">${text.authors[line.author] ?? line.author}: </span>
    <span class="flow-line-words" dir="auto">${line.text}</span>
    ${line.author !== "visitor" && line.block !== null && html`<${BlockLink} desk=${desk} name=${line.block} />`}
  </div>`;
}

function BlockLink({ desk, name }) {
  if (!desk.names.value.includes(name)) return html`<code class="soft">${name}</code>`;
  return html`<button type="button" class="flow-problem-link flow-line-block" onClick=${() => desk.show(name)}>${name}</button>`;
}

/** Where the visitor answers: by a button, or in words. */
function Answer({ trial, result }) {
  const words = text.flow.trial;
  const [typed, setTyped] = useState("");
  if (trial.inputs.value.length - result.unused_inputs >= MAX_INPUTS) return html`<p class="soft">${words.full}</p>`;
  if (result.state !== "waiting") return null;
  const choices = result.transcript.findLast((line) => line.author === "bot" && line.block === result.block)?.choices ?? [];
  const send = (event) => {
    event.preventDefault();
    if (typed.trim() === "") return;
    trial.say({ text: typed.trim() });
    setTyped("");
  };
  return html`
    ${
      choices.length > 0 &&
      html`<div class="flow-choices" role="group" aria-label=${words.choices}>
      ${choices.map(
        (choice) =>
          html`<${Button} key=${choice.value} small onClick=${() => trial.say({ choice: choice.value })}><span dir="auto">${choice.label}</span><//>`,
      )}
    </div>`
    }
    <form class="flow-answer" onSubmit=${send}>
      <${TextField} hideLabel label=${words.input} placeholder=${words.input} value=${typed} onInput=${setTyped} autocomplete="off" maxlength="2000" />
      <${IconButton} icon="send" label=${words.send} type="submit" />
    </form>
  `;
}

function Options({ trial }) {
  const words = text.flow.trial;
  const { open, available, country, first_url, last_url } = trial.options.value;
  const three = (now, yes, no) => [
    { value: "", label: now },
    { value: "true", label: yes },
    { value: "false", label: no },
  ];
  const read = (value) => (value === "" ? null : value === "true");
  const set = (option) => (value) => trial.set(option, value);
  return html`<details class="flow-suppose">
    <summary>${words.suppose}</summary>
    <div class="flow-form-pair">
      <${Select} label=${words.hours} value=${String(open ?? "")} options=${three(words.hoursNow, words.hoursOpen, words.hoursClosed)}
        onInput=${(value) => trial.set("open", read(value))} />
      <${Select} label=${words.agents} value=${String(available ?? "")} options=${three(words.agentsNow, words.agentsYes, words.agentsNo)}
        onInput=${(value) => trial.set("available", read(value))} />
    </div>
    <${TextField} label=${words.country} value=${country} maxlength="2" onInput=${set("country")} />
    <${TextField} label=${words.firstUrl} value=${first_url} onInput=${set("first_url")} />
    <${TextField} label=${words.lastUrl} value=${last_url} onInput=${set("last_url")} />
  </details>`;
}

function Known({ fields }) {
  const words = text.flow.trial;
  const known = Object.entries(fields);
  return html`<div class="flow-known">
    <h4>${words.fields}</h4>
    ${
      known.length === 0
        ? html`<p class="soft">${words.noFields}</p>`
        : html`<dl>
          ${known.map(([field, value]) => html`<div key=${field}><dt>${field}</dt><dd dir="auto">${typeof value === "string" ? value : JSON.stringify(value)}</dd></div>`)}
        </dl>`
    }
  </div>`;
}
