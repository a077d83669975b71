/** A team's name and members: made anew, or changed member by member, so that two who change it at once both do. */

import { Button } from "../../../components/button.js";
import { CheckList } from "../../../components/check_list.js";
import { Dialog } from "../../../components/dialog.js";
import { TextField } from "../../../components/field.js";
import { FormFoot } from "../../../components/form_foot.js";
import { patch, post, put, remove } from "../../../core/api.js";
import { useForm } from "../../../core/form.js";
import { say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { agents, teams } from "../../../store/people.js";
import { text } from "../../../text/index.js";

const TAKEN = { TEAM_NAME_TAKEN: "name" };
// Members are ticked one by one, so each is a field of its own.
const MEMBER = "agent:";

export function NewTeam({ onClose }) {
  const words = text.admin.teams.form;
  const create = async (_, { name, ...members }, key) => {
    const ids = Object.keys(members).filter((field) => members[field]);
    const team = await post("/v1/teams", { name, agent_ids: ids.map(idOf) }, { key });
    teams.put(team);
    say(words.created(team.name));
    onClose();
  };
  const form = useForm({ name: "" }, create, { taken: TAKEN });
  return html`<${Dialog} title=${words.create} onClose=${onClose} firm>
    <${Fields} form=${form} submit=${words.submit} onClose=${onClose} />
  <//>`;
}

export function EditTeam({ team: opened, onClose }) {
  const words = text.admin.teams.form;
  const team = teams.get(opened.id);
  const members = Object.fromEntries((team?.agent_ids ?? []).map((id) => [MEMBER + id, true]));
  const save = async ({ name, ...changed }) => {
    const path = `/v1/teams/${opened.id}`;
    if (name !== undefined) teams.put(await patch(path, { name }));
    for (const [field, wanted] of Object.entries(changed)) {
      const member = `${path}/agents/${idOf(field)}`;
      // One after the other: each answer is the team with all before it.
      teams.put(await (wanted ? put(member) : remove(member)));
    }
    say(words.saved(name ?? team.name));
    onClose();
  };
  const form = useForm({ ...allOut(), name: team?.name ?? opened.name, ...members }, save, { taken: TAKEN });
  return html`<${Dialog} title=${words.edit(opened.name)} onClose=${onClose} firm>
    ${
      team === undefined
        ? html`<p class="dialog-text" role="status">${text.admin.goneMeanwhile}</p>
          <footer class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>${text.actions.close}<//></footer>`
        : html`<${Fields} form=${form} onClose=${onClose} />`
    }
  <//>`;
}

function Fields({ form, submit, onClose }) {
  const words = text.admin.teams.form;
  // Closed accounts can leave a team and not be looked for: those that are in it are shown.
  const shown = agents.items.value.filter(({ id, active }) => active || form.values[MEMBER + id]);
  const options = shown.map(({ id, name, email, active }) => ({
    value: id,
    label: name,
    detail: active ? email : `${email} (${text.admin.teams.inactive})`,
  }));
  const labels = { name: words.name, agent_ids: words.members };
  for (const { id, name } of shown) labels[MEMBER + id] = name;
  return html`<form class="form" onSubmit=${form.submit} noValidate>
    <${TextField} label=${words.name} maxlength="100" autocomplete="off" ...${form.field("name")} />
    <${CheckList} label=${words.members} options=${options} empty=${words.noAgents} errors=${form.errors("agent_ids")}
      chosen=${(id) => Boolean(form.values[MEMBER + id])} onToggle=${(id, checked) => form.set(MEMBER + id, checked)} />
    <${FormFoot} form=${form} fields=${labels} submit=${submit} onClose=${onClose} />
  </form>`;
}

function allOut() {
  return Object.fromEntries(agents.items.value.map(({ id }) => [MEMBER + id, false]));
}

function idOf(field) {
  return field.slice(MEMBER.length);
}
