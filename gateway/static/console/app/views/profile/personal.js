/** The visitor's name and addresses, which agents mend in place. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../components/button.js";
import { Copy } from "../../components/copy.js";
import { TextField } from "../../components/field.js";
import { patch } from "../../core/api.js";
import { useForm } from "../../core/form.js";
import { html } from "../../html.js";
import { putContact } from "../../store/contacts.js";
import { channels } from "../../store/people.js";
import { text } from "../../text/index.js";
import { onEscape } from "./keys.js";
import { Row } from "./rows.js";

const FIELDS = [
  { name: "name", type: "text", maxlength: 200 },
  { name: "email", type: "email", maxlength: 254, clearable: true },
  { name: "phone", type: "tel", maxlength: 50, clearable: true },
];

export function Personal({ contact }) {
  const words = text.profile.personal;
  return html`<section class="profile-section">
    <h3>${words.title}</h3>
    <dl class="rows">
      ${FIELDS.map((field) => html`<${Editable} key=${field.name} contact=${contact} field=${field} hint=${field.name === "name" && sourceOf(contact)} />`)}
      <${Row} label=${words.externalId} hint=${words.externalIdHint} copied=${contact.external_id}>${contact.external_id}<//>
    </dl>
  </section>`;
}

function Editable({ contact, field, hint }) {
  const words = text.profile.personal;
  const [editing, setEditing] = useState(false);
  const pencil = useRef(null);
  const wasEditing = useRef(false);
  const label = words[field.name];
  const value = contact[field.name];
  useLayoutEffect(() => {
    if (wasEditing.current && !editing) pencil.current?.querySelector(".row-edit")?.focus();
    wasEditing.current = editing;
  }, [editing]);
  return html`<div class="row" ref=${pencil}>
    <dt>${label}</dt>
    <dd>
      ${
        editing
          ? html`<${Editor} ...${{ contact, field, label }} onClose=${() => setEditing(false)} />`
          : html`<div class="row-value">
            <span class=${`row-text ${value ? "" : "soft"}`} dir="auto">${value ?? words.none}</span>
            ${value && field.name !== "name" && html`<${Copy} value=${value} label=${words.copy(label)} />`}
            <${IconButton} class="row-edit" icon="edit" size=${16} label=${words.edit(label)} onClick=${() => setEditing(true)} />
          </div>
          ${hint && html`<p class="row-hint">${hint}</p>`}`
      }
    </dd>
  </div>`;
}

function Editor({ contact, field: { name, type, maxlength, clearable }, label, onClose }) {
  const words = text.profile.personal;
  const input = useRef(null);
  useLayoutEffect(() => input.current.select(), []);
  // Also what is as before: saved by an agent, a name is one that an agent has set.
  const save = async (_, values) => {
    const wanted = values[name].trim();
    putContact(await patch(`/v1/contacts/${contact.id}`, { [name]: wanted === "" && clearable ? null : wanted }));
    onClose();
  };
  const form = useForm({ [name]: contact[name] ?? "" }, save);
  useLayoutEffect(() => {
    if (form.problem !== null) input.current.focus();
  }, [form.problem]);
  return html`<form class="row-form" noValidate onSubmit=${form.submit} onKeyDown=${onEscape(onClose)}>
    <${TextField} label=${label} hideLabel type=${type} inputRef=${input} maxlength=${maxlength} ...${form.sole(name)}
      hint=${clearable && contact[name] ? words.clearHint : undefined} autocomplete="off" />
    <div class="row-form-actions">
      <${Button} small kind="primary" type="submit" busy=${form.busy}>${form.busy ? text.actions.saving : text.actions.save}<//>
      <${Button} small onClick=${onClose}>${text.actions.cancel}<//>
    </div>
  </form>`;
}

function sourceOf({ name_source: source, channel_id }) {
  const words = text.profile.personal.nameSource;
  return source === "channel" ? words.channel[channels.get(channel_id)?.kind ?? "web"] : words[source];
}
