/** What a ticket says: for a new one, and for one that is mended. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Checkbox, Select, TextArea, TextField } from "../../components/field.js";
import { patch, post } from "../../core/api.js";
import { explain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { agents } from "../../store/people.js";
import { text } from "../../text/index.js";

const DRAFT = "ticket";
const MAX_SUBJECT = 200;
const NOBODY = "";

/** With `ticket` it is changed, else one of the contact is opened; `onSaved(ticket)` gets the answer. */
export function TicketForm({ ticket, contact, conversationId, drafts, onSaved, onClose }) {
  const words = text.profile.ticket;
  const empty = { subject: "", description: "", assignee_id: NOBODY, linked: true };
  const [draft, setDraft] = useState(
    ticket ? { subject: ticket.subject, description: ticket.description } : (drafts.get(DRAFT) ?? empty),
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const subject = useRef(null);
  useLayoutEffect(() => subject.current.focus(), []);
  const write = (name) => (value) => {
    const next = { ...draft, [name]: value };
    if (!ticket) drafts.set(DRAFT, next);
    setDraft(next);
  };
  const save = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const { assignee_id, linked, ...said } = draft;
      const saved = ticket
        ? await patch(`/v1/tickets/${ticket.id}`, said)
        : await post(
            `/v1/contacts/${contact.id}/tickets`,
            { ...said, assignee_id: assignee_id || null, conversation_id: linked ? conversationId : null },
            { once: true },
          );
      if (!ticket) drafts.delete(DRAFT);
      onSaved(saved);
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  const errors = problem?.errors ?? {};
  const onKeyDown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onClose();
  };
  return html`<form class="ticket-form" noValidate onSubmit=${save} onKeyDown=${onKeyDown} aria-label=${ticket ? words.edit : words.new}>
    <h3>${ticket ? words.edit : words.new}</h3>
    <${TextField} label=${words.subject} value=${draft.subject} maxlength=${MAX_SUBJECT} errors=${errors.subject} inputRef=${subject} onInput=${write("subject")} />
    <${TextArea} label=${words.description} optional rows=${5} value=${draft.description} errors=${errors.description} onInput=${write("description")} />
    ${
      !ticket &&
      html`<${Select} label=${words.assignee} value=${draft.assignee_id} options=${assigneeOptions()} errors=${errors.assignee_id} onInput=${write("assignee_id")} />
      <${Checkbox} label=${words.link} checked=${draft.linked} onInput=${write("linked")} />`
    }
    ${problem && Object.keys(errors).length === 0 && html`<p class="form-problem" role="alert">${explain(problem)}</p>`}
    <div class="row-form-actions">
      <${Button} kind="primary" small type="submit" busy=${busy} disabled=${draft.subject.trim() === ""}>${ticket ? text.actions.save : words.create}<//>
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
