/** What an account is made of: made anew, or changed. */

import { useState } from "preact/hooks";
import { Dialog } from "../../../components/dialog.js";
import { Select, TextField } from "../../../components/field.js";
import { FormFoot } from "../../../components/form_foot.js";
import { patch, post } from "../../../core/api.js";
import { useForm } from "../../../core/form.js";
import { learnOwn, ownId } from "../../../core/session.js";
import { say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { agents } from "../../../store/people.js";
import { text } from "../../../text/index.js";
import { PasswordField } from "./password.js";

const NEW = { name: "", email: "", password: "", role: "agent", capacity: "4" };
const TAKEN = { EMAIL_TAKEN: "email" };

/** `onPassword({name, email, password})` is told a generated password once the account has it. */
export function NewAgent({ onClose, onPassword }) {
  const words = text.admin.agents.form;
  const [generated, setGenerated] = useState(null);
  const create = async (_, values, key) => {
    const agent = await post("/v1/agents", { ...values, capacity: count(values.capacity) }, { key });
    agents.put(agent);
    say(words.created(agent.name));
    if (values.password === generated) onPassword({ ...agent, password: generated });
    onClose();
  };
  const form = useForm(NEW, create, { taken: TAKEN });
  return html`<${Dialog} title=${words.create} onClose=${onClose} firm>
    <${Fields} form=${form} generated=${generated} onGenerated=${setGenerated} submit=${words.submit} onClose=${onClose} />
  <//>`;
}

export function EditAgent({ agent, onClose, onPassword }) {
  const words = text.admin.agents.form;
  const [generated, setGenerated] = useState(null);
  const { name, email, role, availability } = agent;
  const current = { name, email, role, availability, capacity: String(agent.capacity), password: "" };
  const save = async (changes, { password }) => {
    if (Object.keys(changes).length > 0) {
      const body = "capacity" in changes ? { ...changes, capacity: count(changes.capacity) } : changes;
      const saved = await patch(`/v1/agents/${agent.id}`, body);
      agents.put(saved);
      learnOwn(saved);
      say(words.saved(saved.name));
      if (password && password === generated) onPassword({ ...saved, password });
    }
    onClose();
  };
  const form = useForm(current, save, { taken: TAKEN });
  return html`<${Dialog} title=${words.edit(agent.name)} onClose=${onClose} firm>
    <${Fields} form=${form} agent=${agent} generated=${generated} onGenerated=${setGenerated} onClose=${onClose} />
  <//>`;
}

function Fields({ form, agent, generated, onGenerated, submit, onClose }) {
  const words = text.admin.agents.form;
  const own = agent !== undefined && agent.id === ownId.value;
  const labels = {
    name: words.name,
    email: words.email,
    password: agent ? words.newPassword : words.password,
    role: words.role,
    capacity: words.capacity,
    availability: words.availability,
  };
  const options = (known) => Object.entries(known).map(([value, label]) => ({ value, label }));
  const generate = (password) => {
    onGenerated(password);
    form.set("password", password);
  };
  return html`<form class="form" onSubmit=${form.submit} noValidate>
    <${TextField} label=${words.name} hint=${words.nameHint} maxlength="100" autocomplete="off" ...${form.field("name")} />
    <${TextField} label=${words.email} hint=${words.emailHint} type="email" maxlength="254" autocomplete="off" ...${form.field("email")} />
    <${PasswordField} label=${labels.password} hint=${passwordHint(agent, own)} ...${form.field("password")}
      generated=${generated !== null && form.values.password === generated} onGenerate=${generate} />
    <${Select} label=${words.role} hint=${words.roleHint} options=${options(text.roles)} ...${form.field("role")} />
    <${TextField} label=${words.capacity} hint=${words.capacityHint} type="number" min="0" max="1000" ...${form.field("capacity")} />
    ${agent && html`<${Select} label=${words.availability} hint=${words.availabilityHint} options=${options(text.availability)} ...${form.field("availability")} />`}
    <${FormFoot} form=${form} fields=${labels} submit=${submit} onClose=${onClose} />
  </form>`;
}

function passwordHint(agent, own) {
  const words = text.admin.agents.form;
  if (agent === undefined) return words.passwordHint;
  return own ? words.ownPasswordHint : words.newPasswordHint;
}

/** A number that was typed; null, which the API refuses, for what is none. */
function count(typed) {
  return typed.trim() === "" ? null : Number(typed);
}
