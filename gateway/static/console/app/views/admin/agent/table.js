/** Agents in rows: who they are, how they stand, what they have, and what can be done. */

import { Button } from "../../../components/button.js";
import { Avatar, StatusDot } from "../../../components/person.js";
import { Table } from "../../../components/table.js";
import { ownId } from "../../../core/session.js";
import { html } from "../../../html.js";
import { teams } from "../../../store/people.js";
import { text } from "../../../text/index.js";

/** `onOpen(kind, agent)`: `edit`, `presence` or `activation`. */
export function AgentTable({ label, items, onOpen }) {
  const words = text.admin.agents;
  const { columns } = words;
  const teamsOf = byAgent(teams.items.value);
  return html`<${Table} label=${label} items=${items}
    columns=${[
      { id: "name", label: columns.name, head: true, cell: (agent) => html`<${Who} agent=${agent} />` },
      { id: "role", label: columns.role, cell: ({ role }) => text.roles[role] ?? role },
      { id: "status", label: columns.status, cell: (agent) => html`<${Status} agent=${agent} />` },
      { id: "load", label: columns.load, cell: (agent) => html`<${Load} agent=${agent} />` },
      { id: "teams", label: columns.teams, cell: ({ id }) => html`<${Teams} items=${teamsOf.get(id) ?? []} />` },
      {
        id: "actions",
        label: text.admin.actions,
        quiet: true,
        end: true,
        cell: (agent) => html`<div class="row-actions">
          <${Button} kind="quiet" small aria-label=${words.edit(agent.name)} onClick=${() => onOpen("edit", agent)}>${text.actions.edit}<//>
          <${Button} kind="quiet" small aria-label=${words.connectionOf(agent.name)} onClick=${() => onOpen("presence", agent)}>${words.connection}<//>
          ${
            agent.active
              ? html`<${Button} kind="quiet" small aria-label=${words.deactivateOf(agent.name)} onClick=${() => onOpen("activation", agent)}>${words.deactivate}<//>`
              : html`<${Button} kind="quiet" small aria-label=${words.reactivateOf(agent.name)} onClick=${() => onOpen("activation", agent)}>${words.reactivate}<//>`
          }
        </div>`,
      },
    ]} />`;
}

function Who({ agent }) {
  return html`<div class="agent-who">
    <${Avatar} id=${agent.id} name=${agent.name} />
    <div class="agent-who-words">
      <span class="agent-who-name"><bdi>${agent.name}</bdi>${agent.id === ownId.value && html` <span class="pill">${text.admin.agents.you}</span>`}</span>
      <span class="soft agent-who-more">${agent.email}</span>
    </div>
  </div>`;
}

function Status({ agent }) {
  if (!agent.active) return html`<span class="pill">${text.admin.agents.closed}</span>`;
  return html`<span class="agent-standing">
    <span class="agent-standing-dot" aria-hidden="true"><${StatusDot} agent=${agent} /></span>
    <span>${text.availability[agent.availability]}${!agent.connected && html`<span class="soft agent-standing-more">${text.connected.false}</span>`}</span>
  </span>`;
}

function Load({ agent: { active_conversations: count, capacity } }) {
  const words = text.admin.agents;
  return html`<span class="agent-load">
    <span aria-hidden="true">${words.load(count, capacity)}</span><span class="visually-hidden">${words.loadSaid(count, capacity)}</span>
    ${capacity > 0 && count >= capacity && html` <span class="pill pill-warn">${words.full}</span>`}
  </span>`;
}

function Teams({ items }) {
  if (items.length === 0) return html`<span class="soft">${text.admin.agents.noTeam}</span>`;
  return html`<span class="admin-chips">${items.map(({ id, name }) => html`<span key=${id} class="pill admin-chip" dir="auto">${name}</span>`)}</span>`;
}

function byAgent(items) {
  const found = new Map();
  for (const team of items) for (const id of team.agent_ids) found.set(id, [...(found.get(id) ?? []), team]);
  return found;
}
