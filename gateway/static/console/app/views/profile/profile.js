/** The contact's profile beside the conversation: who has it, what is known of the visitor, tickets, notes, decisions. */

import { useState } from "preact/hooks";
import { Empty, Failed, Skeleton } from "../../components/states.js";
import { Tabs } from "../../components/tabs.js";
import { useLoading } from "../../core/loading.js";
import { html } from "../../html.js";
import { contacts, erased, fetchContact } from "../../store/contacts.js";
import { conversations, fetchConversation } from "../../store/conversations.js";
import { epoch } from "../../store/live.js";
import { text } from "../../text/index.js";
import { Head } from "./head.js";
import { History } from "./history.js";
import { Info } from "./info.js";
import { Notes, useNotes } from "./notes.js";
import { Tickets, useTickets } from "./tickets.js";

/** `contactId` may be missing: it follows from the conversation. `onBack` leads to the conversation where one pane is shown at a time. */
export function ProfilePane({ conversationId, contactId, onBack }) {
  // Stays with whoever goes from one conversation to the next.
  const [tab, setTab] = useState("info");
  const conversation = conversationId ? conversations.at(conversationId).value : undefined;
  const loading = useLoading(() => (conversationId ? fetchConversation(conversationId) : null), [conversationId, epoch.value]);
  const id = contactId ?? conversation?.contact.id;
  let content;
  if (!conversationId) content = html`<${Empty} icon="person" title=${text.profile.nobodyChosen} />`;
  else if (id !== undefined)
    content = html`<${Profile} key=${`${conversationId} ${id}`} ...${{ contactId: id, conversationId, conversation, onBack, tab, setTab }} />`;
  else if (loading.problem.value !== null)
    content = html`<${Failed} problem=${loading.problem.value} onRetry=${() => loading.reload()} />`;
  else content = html`<${Skeleton} lines=${6} />`;
  return html`<div class="profile">${content}</div>`;
}

function Profile({ contactId, conversationId, conversation, onBack, tab, setTab }) {
  const words = text.profile;
  const loading = useLoading(() => fetchContact(contactId), [contactId, epoch.value]);
  const notes = useNotes(contactId);
  const tickets = useTickets(contactId);
  const [drafts] = useState(() => new Map()); // what is being written, kept while other tabs are looked at
  const contact = contacts.at(contactId).value;
  if (erased.value.has(contactId)) {
    return html`<${Head} gone ...${{ conversationId, conversation, onBack }} />
      <div role="status"><${Empty} icon="trash" title=${words.erased}>${words.erasedLead}<//></div>`;
  }
  if (contact === undefined) {
    return html`<${Head} ...${{ conversationId, conversation, onBack }} />
      ${loading.problem.value ? html`<${Failed} problem=${loading.problem.value} onRetry=${() => loading.reload()} />` : html`<${Skeleton} lines=${8} />`}`;
  }
  const tabs = [
    { id: "info", label: words.info },
    {
      id: "tickets",
      label: words.tickets,
      count: tickets.done.value ? tickets.items.value.filter(({ status }) => status !== "solved").length : 0,
    },
    { id: "notes", label: words.notes, count: notes.done.value ? notes.items.value.length : 0 },
    { id: "history", label: words.history },
  ];
  const panels = {
    info: () => html`<${Info} ...${{ contact, conversationId }} />`,
    tickets: () => html`<${Tickets} ...${{ contact, conversationId, tickets, drafts }} />`,
    notes: () => html`<${Notes} ...${{ contact, notes, drafts }} />`,
    history: () => html`<${History} conversationId=${conversationId} />`,
  };
  return html`<${Head} ...${{ contact, conversationId, conversation, onBack }} />
    <${Tabs} label=${words.tabs} tabs=${tabs} chosen=${tab} onChoose=${setTab}>
      <div class="profile-panel" key=${tab}>${panels[tab]()}</div>
    <//>`;
}
