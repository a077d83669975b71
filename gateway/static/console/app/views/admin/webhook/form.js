/** What a webhook is made of: made anew, or changed on its page. */

import { Button } from "../../../components/button.js";
import { CheckList } from "../../../components/check_list.js";
import { Dialog } from "../../../components/dialog.js";
import { TextField } from "../../../components/field.js";
import { FormFoot } from "../../../components/form_foot.js";
import { LeaveGuard } from "../../../components/leave_guard.js";
import { patch, post } from "../../../core/api.js";
import { useForm } from "../../../core/form.js";
import { explain, say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { channels } from "../../../store/people.js";
import { text } from "../../../text/index.js";

const EVENTS = [
  "conversation.created",
  "conversation.updated",
  "conversation.assigned",
  "conversation.archived",
  "message.created",
  "message.updated",
  "contact.created",
  "contact.updated",
  "contact.deleted",
  "ticket.created",
  "ticket.updated",
];

/** `onMade(webhook)`: with its secret. */
export function NewWebhook({ onMade, onClose }) {
  const words = text.admin.webhooks.form;
  const create = async (_, values, key) => {
    onMade(await post("/v1/webhooks", { ...values, url: values.url.trim() }, { key }));
    onClose();
  };
  const form = useForm({ url: "", description: "", events: [], channel_ids: null }, create);
  return html`<${Dialog} title=${words.create} onClose=${onClose} wide firm>
    <form class="form form-wide" onSubmit=${form.submit} noValidate>
      <${Fields} form=${form} />
      <${FormFoot} form=${form} fields=${words.fields} submit=${words.submit} onClose=${onClose} />
    </form>
  <//>`;
}

/** `onChanged(webhook)`. */
export function Settings({ webhook, onChanged }) {
  const words = text.admin.webhooks.form;
  const { url, description, events, channel_ids: channelIds } = webhook;
  const save = async (changes) => {
    if (Object.keys(changes).length === 0) return;
    const body = "url" in changes ? { ...changes, url: changes.url.trim() } : changes;
    onChanged(await patch(`/v1/webhooks/${webhook.id}`, body));
    say(words.saved);
  };
  const form = useForm({ url, description, events: sorted(events), channel_ids: channelIds && sorted(channelIds) }, save);
  const conflicts = form.conflicts.map((field) => words.fields[field]).join(", ");
  return html`<form class="admin-card form form-wide" onSubmit=${form.submit} noValidate>
    <${LeaveGuard} when=${form.changed} />
    <h3>${words.settings}</h3>
    <${Fields} form=${form} />
    ${conflicts && html`<p class="form-conflict" role="status">${text.changedMeanwhile(conflicts)}</p>`}
    ${form.untold(Object.keys(words.fields)) && html`<p class="form-problem" role="alert">${explain(form.problem)}</p>`}
    <div class="form-foot webhook-save-foot">
      <${Button} kind="primary" type="submit" busy=${form.busy} disabled=${!form.changed}>${form.busy ? text.actions.saving : text.actions.save}<//>
      ${form.changed && html`<${Button} onClick=${form.discard}>${text.admin.discard}<//><span class="soft">${text.admin.unsaved}</span>`}
    </div>
  </form>`;
}

function Fields({ form }) {
  const words = text.admin.webhooks.form;
  const { kinds } = text.admin.webhooks;
  const { events } = form.values;
  // What a later version of the gateway knows stays, whether or not it can be named here.
  const known = [...EVENTS, ...events.filter((event) => !EVENTS.includes(event))];
  return html`
    <${TextField} label=${words.url} hint=${words.urlHint} type="url" inputmode="url" autocomplete="off" ...${form.field("url")} />
    <${TextField} label=${words.description} hint=${words.descriptionHint} optional maxlength="500" autocomplete="off" ...${form.field("description")} />
    <${CheckList} label=${words.events} options=${known.map((event) => ({ value: event, label: kinds[event] ?? event, detail: event }))} columns
      errors=${form.errors("events")} chosen=${(event) => events.includes(event)} onToggle=${(event) => form.set("events", toggled(events, event))} />
    <${Channels} form=${form} />
  `;
}

function Channels({ form }) {
  const words = text.admin.webhooks.form;
  const { channel_ids: ids } = form.values;
  const choice = (label, checked, onChoose) => html`<label class="choice">
    <input type="radio" name="channels" checked=${checked} onChange=${onChoose} /><span>${label}</span>
  </label>`;
  const known = channels.items.value;
  const lost = (ids ?? []).filter((id) => channels.loaded.value && !channels.get(id));
  const options = [
    ...known.map(({ id, name, kind }) => ({ value: id, label: name, detail: text.kinds[kind] ?? kind })),
    ...lost.map((id) => ({ value: id, label: words.lostChannel, detail: id })),
  ];
  return html`
    <fieldset class="choices choices-rows">
      <legend>${words.channels}</legend>
      ${choice(words.every, ids === null, () => form.set("channel_ids", null))}
      ${choice(words.some, ids !== null, () => form.set("channel_ids", ids ?? []))}
    </fieldset>
    ${
      ids !== null &&
      html`<${CheckList} label=${words.which} options=${options} empty=${words.noChannels} errors=${form.errors("channel_ids")}
      chosen=${(id) => ids.includes(id)} onToggle=${(id) => form.set("channel_ids", toggled(ids, id))} />`
    }
  `;
}

/** The chosen ones with one more or less, in an order that tells nothing: what is ticked again is as before. */
function toggled(chosen, one) {
  return sorted(chosen.includes(one) ? chosen.filter((each) => each !== one) : [...chosen, one]);
}

function sorted(values) {
  return [...values].sort();
}
