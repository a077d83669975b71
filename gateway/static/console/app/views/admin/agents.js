/** Admin: the agents, live; adding, changing and closing their accounts. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { TextField } from "../../components/field.js";
import { PageHead } from "../../components/page_head.js";
import { Stored } from "../../components/stored.js";
import { html } from "../../html.js";
import { agents } from "../../store/people.js";
import { text } from "../../text/index.js";
import { Activation } from "./agent/activation.js";
import { EditAgent, NewAgent } from "./agent/form.js";
import { Password } from "./agent/password.js";
import { Presence } from "./agent/presence.js";
import { AgentTable } from "./agent/table.js";

const MANY = 8;
const DIALOGS = { edit: EditAgent, presence: Presence, activation: Activation };

export function AgentsPage() {
  const words = text.admin.agents;
  const [open, setOpen] = useState(null); // {kind, id?}
  const [given, setGiven] = useState(null); // {name, email, password}, to be shown once
  const close = () => setOpen(null);
  // The agent as it is now: a window over it shows what comes.
  const about = open?.id === undefined ? undefined : agents.get(open.id);
  const OpenDialog = DIALOGS[open?.kind];
  return html`<section class="admin-section">
    <${PageHead} title=${words.title} lead=${words.lead}
      actions=${html`<${Button} kind="primary" icon="plus" onClick=${() => setOpen({ kind: "create" })}>${words.add}<//>`} />
    <${Stored} store=${agents}>${(items) => html`<${Lists} items=${items} onOpen=${(kind, { id }) => setOpen({ kind, id })} />`}<//>
    ${open?.kind === "create" && html`<${NewAgent} onClose=${close} onPassword=${setGiven} />`}
    ${OpenDialog && about && html`<${OpenDialog} key=${open.id} agent=${about} onClose=${close} onPassword=${setGiven} />`}
    ${given !== null && open === null && html`<${Password} ...${given} onClose=${() => setGiven(null)} />`}
  </section>`;
}

function Lists({ items, onOpen }) {
  const words = text.admin.agents;
  const [sought, setSought] = useState("");
  const wanted = sought.trim().toLowerCase();
  const found = items.filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(wanted));
  const active = found.filter((agent) => agent.active);
  const inactive = found.filter((agent) => !agent.active);
  return html`
    ${items.length > MANY && html`<div class="admin-search"><${TextField} label=${words.search} hideLabel type="search" placeholder=${words.search} value=${sought} onInput=${setSought} /></div>`}
    <p class="visually-hidden" role="status">${wanted && text.counts.found(found.length)}</p>
    ${found.length === 0 && html`<p class="soft">${text.states.nothingFound}</p>`}
    ${active.length > 0 && html`<${AgentTable} label=${words.active} items=${active} onOpen=${onOpen} />`}
    ${
      inactive.length > 0 &&
      html`<section class="admin-subsection">
      <h3>${words.inactive} <span class="soft">${inactive.length}</span></h3>
      <p class="soft">${words.inactiveLead}</p>
      <${AgentTable} label=${words.inactive} items=${inactive} onOpen=${onOpen} />
    </section>`
    }
  `;
}
