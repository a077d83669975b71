/** One ticket: how it stands, who sees to it, and what was said about it. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { IconButton, Button } from "../../components/button.js";
import { Select } from "../../components/field.js";
import { Time } from "../../components/time.js";
import { Words } from "../../components/words.js";
import { patch } from "../../core/api.js";
import { to } from "../../core/route.js";
import { complain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { LiveResource } from "../../store/live_resource.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";
import { Comments } from "./comments.js";
import { TicketForm, assigneeOptions } from "./ticket_form.js";

/** `first`: the ticket as the list had it; `onChanged(ticket)` hears of changes made here. */
export function Ticket({ first, conversationId, drafts, onChanged, onBack }) {
  const words = text.profile.ticket;
  const [known] = useState(
    () =>
      new LiveResource({ path: `/v1/tickets/${first.id}`, event: "ticket.updated", isIt: ({ id }) => id === first.id, first }),
  );
  useLive(known);
  const ticket = known.current.value;
  const [editing, setEditing] = useState(false);
  const [busy, setBusy] = useState(false);
  const back = useRef(null);
  useLayoutEffect(() => {
    if (!editing) back.current.querySelector("button").focus();
  }, [editing]);
  const keep = (changed) => {
    known.put(changed);
    onChanged(changed);
  };
  const change = async (changes) => {
    if (busy) return;
    setBusy(true);
    try {
      keep(await patch(`/v1/tickets/${ticket.id}`, changes));
    } catch (problem) {
      complain(problem);
    } finally {
      setBusy(false);
    }
  };
  if (editing) {
    const saved = (changed) => {
      keep(changed);
      setEditing(false);
    };
    return html`<${TicketForm} ticket=${ticket} onSaved=${saved} onClose=${() => setEditing(false)} />`;
  }
  const statuses = Object.entries(words.statuses).map(([value, label]) => ({ value, label }));
  return html`<article class="ticket" aria-busy=${busy || undefined}>
    <p ref=${back}><${Button} small kind="quiet" icon="back" onClick=${onBack}>${words.back}<//></p>
    <header class="ticket-head">
      <h3 dir="auto">${ticket.subject}</h3>
      <${IconButton} icon="edit" size=${16} label=${words.edit} onClick=${() => setEditing(true)} />
    </header>
    <p class="ticket-meta">
      <span dir="auto">${words.opened(ticket.author.name ?? text.authors[ticket.author.kind])}</span><${Time} at=${ticket.created_at} />
      ${ticket.conversation_id && ticket.conversation_id !== conversationId && html`<a href=${to(["chats", "all", ticket.conversation_id])}>${words.from}</a>`}
    </p>
    ${ticket.description ? html`<p class="ticket-description"><${Words}>${ticket.description}<//></p>` : html`<p class="soft">${words.noDescription}</p>`}
    <div class="ticket-controls">
      <${Select} label=${words.status} value=${ticket.status} options=${statuses} onInput=${(status) => change({ status })} />
      <${Select} label=${words.assignee} value=${ticket.assignee?.id ?? ""} options=${assigneeOptions(ticket.assignee)} onInput=${(id) => change({ assignee_id: id || null })} />
    </div>
    <${Comments} ticket=${ticket} drafts=${drafts} />
  </article>`;
}
