/** What a ticket says: for a new one, and for one that is mended. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Checkbox, Select, TextArea, TextField } from "../../components/field.js";
import { patch, post } from "../../core/api.js";
import { useForm } from "../../core/form.js";
import { explain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { agents } from "../../store/people.js";
import { text } from "../../text/index.js";
import { onEscape } from "./keys.js";

const MAX_SUBJECT = 200;
const NOBODY = "";
const EMPTY = { subject: "", description: "", assignee_id: NOBODY, linked: true };

/** With `ticket` it is changed, else one of the contact is opened; `onSaved(ticket)` gets the answer. */
export function TicketForm({ ticket, contact, conversationId, drafts, onSaved, onClose }) {
  const words = text.profile.ticket;
  const subject = useRef(null);
  useLayoutEffect(() => subject.current.focus(), []);
  const change = async (changes) => {
    onSaved(Object.keys(changes).length > 0 ? await patch(`/v1/tickets/${ticket.id}`, changes) : ticket);
  };
  const open = async (_, { assignee_id, linked, ...said }, key) => {
    const body = { ...said, assignee_id: assignee_id || null, conversation_id: linked ? conversationId : null };
    onSaved(await post(`/v1/contacts/${contact.id}/tickets`, body, { key }));
  };
  const form = useForm(
    ticket ? { subject: ticket.subject, description: ticket.description } : EMPTY,
    ticket ? change : open,
    ticket ? {} : { drafts, name: "ticket" },
  );
  const conflicts = form.conflicts.map((field) => words[field]).join(", ");
  return html`<form class="ticket-form" noValidate onSubmit=${form.submit} onKeyDown=${onEscape(onClose)} aria-label=${ticket ? words.edit : words.new}>
    <h3>${ticket ? words.edit : words.new}</h3>
    <${TextField} label=${words.subject} maxlength=${MAX_SUBJECT} inputRef=${subject} ...${form.field("subject")} />
    <${TextArea} label=${words.description} optional rows=${5} ...${form.field("description")} />
    ${
      !ticket &&
      html`<${Select} label=${words.assignee} options=${assigneeOptions()} ...${form.field("assignee_id")} />
      <${Checkbox} label=${words.link} checked=${form.values.linked} onInput=${(linked) => form.set("linked", linked)} />`
    }
    ${conflicts && html`<p class="form-conflict" role="status">${text.changedMeanwhile(conflicts)}</p>`}
    ${form.untold(Object.keys(EMPTY)) && html`<p class="form-problem" role="alert">${explain(form.problem)}</p>`}
    <div class="row-form-actions">
      <${Button} kind="primary" small type="submit" busy=${form.busy} disabled=${form.values.subject.trim() === ""}>${ticket ? text.actions.save : words.create}<//>
      <${Button} small onClick=${onClose}>${text.actions.cancel}<//>
    </div>
  </form>`;
}

/** Nobody, and the active agents; besides whoever has it already. */
export function assigneeOptions(assignee = null) {
  const active = agents.items.value.filter((agent) => agent.active).map(({ id, name }) => ({ value: id, label: name }));
  const gone = assignee !== null && !active.some(({ value }) => value === assignee.id);
  return [
    { value: NOBODY, label: text.profile.ticket.nobody },
    ...(gone ? [{ value: assignee.id, label: assignee.name }] : []),
    ...active,
  ];
}
