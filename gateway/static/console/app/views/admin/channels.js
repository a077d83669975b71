/** Admin: the channels, and how one is made. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Dialog } from "../../components/dialog.js";
import { TextField } from "../../components/field.js";
import { FormFoot } from "../../components/form_foot.js";
import { Icon } from "../../components/icon.js";
import { Empty, Failed, Skeleton } from "../../components/states.js";
import { post } from "../../core/api.js";
import { useForm } from "../../core/form.js";
import { number } from "../../core/format.js";
import { go, to } from "../../core/route.js";
import { say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { channels } from "../../store/people.js";
import { text } from "../../text/index.js";
import { Origins, tidyOrigins } from "./channel/origins.js";

const NEW = { kind: "web", name: "", allowed_origins: [] };
const ICONS = { web: "globe", messenger: "messenger" };

export function ChannelsPage() {
  const [making, setMaking] = useState(false);
  const words = text.channels;
  const add = html`<${Button} kind="primary" icon="plus" onClick=${() => setMaking(true)}>${words.add}<//>`;
  return html`<section class="channels-page">
    <header class="channel-head">
      <div>
        <h2>${words.title}</h2>
        <p class="soft">${words.lead}</p>
      </div>
      ${add}
    </header>
    <${List} />
    ${making && html`<${NewChannel} onClose=${() => setMaking(false)} />`}
  </section>`;
}

function List() {
  const words = text.channels.empty;
  const items = channels.items.value;
  if (!channels.loaded.value) {
    if (channels.problem.value !== null)
      return html`<${Failed} problem=${channels.problem.value} onRetry=${() => channels.load()} />`;
    return html`<${Skeleton} />`;
  }
  if (items.length === 0) return html`<${Empty} icon="globe" title=${words.title}>${words.lead}<//>`;
  return html`<ul class="channel-list">
    ${items.map((channel) => html`<${Row} key=${channel.id} channel=${channel} />`)}
  </ul>`;
}

function Row({ channel }) {
  const words = text.channels;
  return html`<li class="channel-row">
    <${Icon} name=${ICONS[channel.kind] ?? "globe"} size=${24} />
    <div class="channel-row-words">
      <a class="channel-row-name" href=${to(["admin", "channels", channel.id])} dir="auto">${channel.name}</a>
      <p class="soft">
        ${text.kinds[channel.kind] ?? channel.kind} · ${text.counts.visitors(channel.visitor_count, number(channel.visitor_count))}
      </p>
    </div>
    <div class="channel-row-state">
      ${channel.messenger?.fault && html`<span class="pill pill-bad"><${Icon} name="warning" size=${12} />${words.fault}</span>`}
      <a class=${`pill ${channel.has_flow ? "pill-accent" : ""}`} href=${to(["admin", "channels", channel.id, "flow"])}>
        <${Icon} name="bot" size=${12} />${channel.has_flow ? words.bot(channel.flow_version) : words.noBot}
        <span class="visually-hidden" dir="auto"> (${channel.name})</span>
      </a>
    </div>
  </li>`;
}

function NewChannel({ onClose }) {
  const words = text.channels.create;
  const create = async (_, { kind, name, allowed_origins }, key) => {
    const body = { kind, name, ...(kind === "web" && { allowed_origins: tidyOrigins(allowed_origins) }) };
    const channel = await post("/v1/channels", body, { key });
    channels.put(channel);
    say(words.done);
    go(["admin", "channels", channel.id]);
  };
  const form = useForm(NEW, create);
  const { kind, allowed_origins: origins } = form.values;
  const submit = (event) => {
    form.set("allowed_origins", tidyOrigins(origins));
    form.submit(event);
  };
  return html`<${Dialog} title=${words.title} onClose=${onClose}>
    <form class="form" onSubmit=${submit} noValidate>
      <fieldset class="choices">
        <legend>${words.kind}</legend>
        ${Object.keys(text.kinds).map(
          (each) => html`<label key=${each} class="choice">
            <input type="radio" name="kind" value=${each} checked=${kind === each} onChange=${() => form.set("kind", each)} />
            ${text.kinds[each]}
          </label>`,
        )}
      </fieldset>
      <${TextField} label=${words.name} hint=${words.nameHint} maxlength="100" required ...${form.field("name")} />
      ${kind === "web" ? html`<${Origins} value=${origins} onChange=${(value) => form.set("allowed_origins", value)} errors=${form.problem?.errors ?? {}} />` : html`<p class="soft">${words.messengerNext}</p>`}
      <${FormFoot} form=${form} fields=${{ name: words.name, allowed_origins: text.channels.origins.title }} submit=${words.submit} onClose=${onClose} />
    </form>
  <//>`;
}
