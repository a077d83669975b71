/** The form of an assign block, and whom a block or a test may name: all agents, some, or a team's. */

import { Checkbox, Select } from "../../components/field.js";
import { html } from "../../html.js";
import { agents, teams } from "../../store/people.js";
import { text } from "../../text/index.js";
import { textsAt } from "./check.js";
import { Choice, Complaints, Way, asText } from "./form_parts.js";

export function AssignFields({ form }) {
  const { form: words, strategies, priorities } = text.flow;
  const set = (chosen) => form.replace({ ...form.block, ...chosen }, "whom");
  return html`
    <${Whom} named=${form.block} problems=${form.problems} set=${set} />
    <div class="flow-form-pair">
      <${Choice} form=${form} path=${["strategy"]} label=${words.strategy} words=${strategies} fallback="least_busy" />
      <${Choice} form=${form} path=${["priority"]} label=${words.priority} words=${priorities} fallback="normal" />
    </div>
    <${Way} form=${form} path=${["unavailable"]} label=${words.unavailable} end=${words.wait} />
  `;
}

/** `named`: has `agents` or `team` or neither; `set({agents, team})`. */
export function Whom({ named, problems, set }) {
  const words = text.flow.form;
  const who = Array.isArray(named.agents) ? "agents" : typeof named.team === "string" ? "team" : "all";
  const start = { all: { agents: null, team: null }, agents: { agents: [], team: null }, team: { agents: null, team: "" } };
  const options = Object.entries(words.whoChoices).map(([value, label]) => ({ value, label }));
  return html`
    <${Select} label=${words.who} value=${who} options=${options} onInput=${(chosen) => set(start[chosen])} />
    ${who === "agents" && html`<${SomeAgents} ids=${named.agents} onChange=${(ids) => set({ agents: ids, team: null })} />`}
    ${who === "team" && html`<${OneTeam} id=${named.team} errors=${textsAt(problems, "team")} onChange=${(id) => set({ agents: null, team: id })} />`}
    <${Complaints} texts=${problems.filter(({ place }) => place === "agents" || place.startsWith("agents.")).map(({ message }) => message)} />
    ${who !== "team" && html`<${Complaints} texts=${textsAt(problems, "team")} />`}
  `;
}

function SomeAgents({ ids, onChange }) {
  const words = text.flow.form;
  const chosen = ids.map(asText);
  const known = agents.items.value.filter((agent) => agent.active !== false || chosen.includes(agent.id));
  const unknown = chosen.filter((id) => !known.some((agent) => agent.id === id));
  const toggle = (id, wanted) => onChange(wanted ? [...ids, id] : ids.filter((each) => asText(each) !== id));
  return html`<fieldset class="flow-rows flow-agents">
    <legend>${words.agents}</legend>
    ${known.map(
      (
        agent,
      ) => html`<${Checkbox} key=${agent.id} label=${html`<bdi>${agent.name}</bdi>${agent.active === false && html` <span class="soft">(${words.inactive})</span>`}`}
        checked=${chosen.includes(agent.id)} onInput=${(wanted) => toggle(agent.id, wanted)} />`,
    )}
    ${unknown.map((id) => html`<${Checkbox} key=${`unknown ${id}`} label=${words.unknownAgent(id)} checked onInput=${() => toggle(id, false)} />`)}
  </fieldset>`;
}

function OneTeam({ id, errors, onChange }) {
  const words = text.flow.form;
  const known = teams.items.value.map((team) => ({ value: team.id, label: team.name }));
  const options = [{ value: "", label: words.noTeam }, ...known];
  if (id !== "" && !known.some((team) => team.value === id)) options.push({ value: id, label: words.unknownTeam(id) });
  return html`<${Select} label=${words.team} value=${id} options=${options} errors=${errors} onInput=${onChange} />`;
}
