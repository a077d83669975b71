/** The contact's tickets: a list by status, a new one, or one with all that was said about it. */

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { EndOfList } from "../../components/end_of_list.js";
import { Select } from "../../components/field.js";
import { Empty } from "../../components/states.js";
import { Time } from "../../components/time.js";
import { get } from "../../core/api.js";
import { on } from "../../core/stream.js";
import { html } from "../../html.js";
import { LiveList } from "../../store/live_list.js";
import { newestFirst } from "../../store/order.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";
import { Ticket } from "./ticket.js";
import { TicketForm } from "./ticket_form.js";

const PAGE = 50;
const ALL = "";

/** The contact's tickets, live; only those of a status if one is given. */
export function useTickets(contactId, status = ALL) {
  const list = useMemo(
    () =>
      new LiveList({
        fetchPage: (cursor) => get(`/v1/contacts/${contactId}/tickets`, { status, cursor, limit: PAGE }),
        order: newestFirst,
        holds: (ticket) => status === ALL || ticket.status === status,
        listen: (told) =>
          ["ticket.created", "ticket.updated"].map((name) =>
            on(name, (ticket) => ticket.contact_id === contactId && told.put(ticket)),
          ),
      }),
    [contactId, status],
  );
  useLive(list);
  return list;
}

export function Tickets({ contact, conversationId, tickets, drafts }) {
  const [status, setStatus] = useState(ALL);
  const [shown, setShown] = useState(null); // null for the list, "new", or a ticket
  const cameFrom = useRef(null);
  const back = () => setShown(null);
  if (shown === "new") {
    const opened = (ticket) => {
      tickets.put(ticket);
      cameFrom.current = ticket.id;
      setShown(ticket);
    };
    return html`<${TicketForm} ...${{ contact, conversationId, drafts }} onSaved=${opened} onClose=${back} />`;
  }
  if (shown !== null) {
    return html`<${Ticket} key=${shown.id} first=${shown} conversationId=${conversationId} drafts=${drafts} onChanged=${(ticket) => tickets.put(ticket)} onBack=${back} />`;
  }
  const open = (ticket) => {
    cameFrom.current = ticket.id;
    setShown(ticket);
  };
  const create = () => {
    cameFrom.current = "new";
    setShown("new");
  };
  return html`<${Toolbar} ...${{ status, setStatus }} onCreate=${create} focused=${cameFrom.current === "new"} />
    ${
      status === ALL
        ? html`<${TicketList} list=${tickets} status=${status} onOpen=${open} focused=${cameFrom.current} />`
        : html`<${TicketsOfStatus} key=${status} contactId=${contact.id} status=${status} onOpen=${open} focused=${cameFrom.current} />`
    }`;
}

function Toolbar({ status, setStatus, onCreate, focused }) {
  const words = text.profile.ticket;
  const frame = useRef(null);
  useLayoutEffect(() => {
    if (focused) frame.current.querySelector(".ticket-new").focus();
  }, [focused]);
  const options = [
    { value: ALL, label: words.all },
    ...Object.entries(words.statuses).map(([value, label]) => ({ value, label })),
  ];
  return html`<div class="ticket-toolbar" ref=${frame}>
    <${Select} label=${words.filter} value=${status} options=${options} onInput=${setStatus} />
    <${Button} class="ticket-new" small kind="primary" icon="plus" onClick=${onCreate}>${words.new}<//>
  </div>`;
}

function TicketsOfStatus({ contactId, status, ...rest }) {
  return html`<${TicketList} list=${useTickets(contactId, status)} status=${status} ...${rest} />`;
}

function TicketList({ list, status, onOpen, focused }) {
  const words = text.profile.ticket;
  const items = list.items.value;
  return html`<ul class="ticket-list">
      ${items.map((ticket) => html`<${Item} key=${ticket.id} ticket=${ticket} onOpen=${onOpen} focused=${ticket.id === focused} />`)}
    </ul>
    ${
      list.loaded.value &&
      list.done.value &&
      items.length === 0 &&
      html`<${Empty} icon="ticket" title=${status === ALL ? words.none : words.noneSuch}>${status === ALL && words.noneLead}<//>`
    }
    <${EndOfList} pages=${list} />`;
}

function Item({ ticket, onOpen, focused }) {
  const words = text.profile.ticket;
  const button = useRef(null);
  useLayoutEffect(() => {
    if (focused) button.current.focus();
  }, [focused]);
  return html`<li>
    <button type="button" class="ticket-item" ref=${button} onClick=${() => onOpen(ticket)}>
      <span class="ticket-subject" dir="auto">${ticket.subject}</span>
      <span class="ticket-meta">
        <${StatusPill} status=${ticket.status} />
        <span>${ticket.assignee ? html`<span dir="auto">${words.by(ticket.assignee.name)}</span>` : words.nobody}</span>
        <${Time} at=${ticket.updated_at} />
        ${ticket.comment_count > 0 && html`<span>${words.commentCount(ticket.comment_count)}</span>`}
      </span>
    </button>
  </li>`;
}

function StatusPill({ status }) {
  const kinds = { open: "pill-accent", pending: "pill-warn", solved: "pill-good" };
  return html`<span class=${`pill ${kinds[status] ?? ""}`}>${text.profile.ticket.statuses[status] ?? status}</span>`;
}
