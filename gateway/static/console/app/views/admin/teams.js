/** Admin: the teams and who is in them. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { PageHead } from "../../components/page_head.js";
import { Avatar, StatusDot } from "../../components/person.js";
import { Empty } from "../../components/states.js";
import { Stored } from "../../components/stored.js";
import { Table } from "../../components/table.js";
import { remove } from "../../core/api.js";
import { say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { agents, teams } from "../../store/people.js";
import { text } from "../../text/index.js";
import { EditTeam, NewTeam } from "./team/form.js";

const SHOWN = 12;

export function TeamsPage() {
  const words = text.admin.teams;
  const [open, setOpen] = useState(null); // {kind, team?}
  const close = () => setOpen(null);
  return html`<section class="admin-section">
    <${PageHead} title=${words.title} lead=${words.lead}
      actions=${html`<${Button} kind="primary" icon="plus" onClick=${() => setOpen({ kind: "create" })}>${words.add}<//>`} />
    <${Stored} store=${teams}>${(items) => html`<${List} items=${items} onOpen=${(kind, team) => setOpen({ kind, team })} />`}<//>
    ${open?.kind === "create" && html`<${NewTeam} onClose=${close} />`}
    ${open?.kind === "edit" && html`<${EditTeam} team=${open.team} onClose=${close} />`}
    ${open?.kind === "remove" && html`<${Removal} team=${open.team} onClose=${close} />`}
  </section>`;
}

function List({ items, onOpen }) {
  const words = text.admin.teams;
  if (items.length === 0) return html`<${Empty} icon="people" title=${words.empty.title}>${words.empty.lead}<//>`;
  return html`<${Table} label=${words.label} items=${items}
    columns=${[
      { id: "name", label: words.columns.name, head: true, cell: ({ name }) => html`<bdi>${name}</bdi>` },
      { id: "members", label: words.columns.members, cell: (team) => html`<${Members} ids=${team.agent_ids} />` },
      {
        id: "actions",
        label: text.admin.actions,
        quiet: true,
        end: true,
        cell: (team) => html`<div class="row-actions">
          <${Button} kind="quiet" small aria-label=${words.edit(team.name)} onClick=${() => onOpen("edit", team)}>${text.actions.edit}<//>
          <${Button} kind="quiet" small aria-label=${words.remove(team.name)} onClick=${() => onOpen("remove", team)}>${text.actions.delete}<//>
        </div>`,
      },
    ]} />`;
}

function Members({ ids }) {
  const words = text.admin.teams;
  const known = ids.map((id) => agents.get(id)).filter((agent) => agent !== undefined);
  if (ids.length === 0) return html`<span class="soft">${words.nobody}</span>`;
  return html`<ul class="admin-chips">
    ${known.slice(0, SHOWN).map(
      (agent) => html`<li key=${agent.id} class="team-member">
        <${Avatar} id=${agent.id} name=${agent.name} size="s" /><bdi>${agent.name}</bdi>
        ${agent.active ? html`<${StatusDot} agent=${agent} />` : html`<span class="soft">(${words.inactive})</span>`}
      </li>`,
    )}
    ${known.length > SHOWN && html`<li class="soft">${words.more(known.length - SHOWN)}</li>`}
  </ul>`;
}

function Removal({ team, onClose }) {
  const words = text.admin.teams.removal;
  const confirm = async () => {
    try {
      await remove(`/v1/teams/${team.id}`);
    } catch (problem) {
      if (problem.code !== "TEAM_NOT_FOUND") throw problem;
    }
    teams.drop(team.id);
    say(words.done(team.name));
  };
  return html`<${Confirm} title=${words.title(team.name)} onConfirm=${confirm} onClose=${onClose}>
    <p>${words.lead}</p>
    <p>${words.members(team.agent_ids.length)}</p>
  <//>`;
}
