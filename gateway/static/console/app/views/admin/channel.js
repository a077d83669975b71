/** Admin: one channel: how it is joined to its website or page, its settings, and its end. */

import { useEffect, useState } from "preact/hooks";
import { Button, LinkButton } from "../../components/button.js";
import { TextField } from "../../components/field.js";
import { Icon } from "../../components/icon.js";
import { LeaveGuard } from "../../components/leave_guard.js";
import { Empty, Failed, Skeleton } from "../../components/states.js";
import { patch } from "../../core/api.js";
import { number } from "../../core/format.js";
import { to } from "../../core/route.js";
import { explain, say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { channels } from "../../store/people.js";
import { text } from "../../text/index.js";
import { ChannelDraft } from "./channel/draft.js";
import { Embed, WebhookAddress } from "./channel/embed.js";
import { Hours } from "./channel/hours.js";
import { Identity } from "./channel/identity.js";
import { Fault, Messenger } from "./channel/messenger.js";
import { Origins } from "./channel/origins.js";
import { Removal } from "./channel/removal.js";

export function ChannelPage({ channelId }) {
  const words = text.channels;
  const channel = channels.get(channelId);
  if (channel !== undefined) return html`<${Channel} key=${channelId} channel=${channel} />`;
  if (channels.problem.value !== null)
    return html`<${Failed} problem=${channels.problem.value} onRetry=${() => channels.load()} />`;
  if (!channels.loaded.value) return html`<${Skeleton} lines=${6} />`;
  return html`<${Empty} icon="globe" title=${words.notFound}>
    <p>${words.notFoundLead}</p>
    <a href=${to(["admin", "channels"])}>${words.toChannels}</a>
  <//>`;
}

function Channel({ channel }) {
  const words = text.channels;
  return html`<div class="channel-page">
    <nav class="channel-crumbs" aria-label=${words.title}><a href=${to(["admin", "channels"])}><${Icon} name="back" size=${14} />${words.title}</a></nav>
    <header class="channel-head">
      <div>
        <h2 dir="auto">${channel.name}</h2>
        <p class="soft">${text.kinds[channel.kind] ?? channel.kind} · ${text.counts.visitors(channel.visitor_count, number(channel.visitor_count))}</p>
      </div>
    </header>
    <${Fault} fault=${channel.messenger?.fault} />
    ${channel.kind === "web" ? html`<${Embed} channel=${channel} />` : html`<${WebhookAddress} channel=${channel} />`}
    <${Bot} channel=${channel} />
    <${Settings} channel=${channel} />
    ${channel.kind === "web" && html`<${Identity} channel=${channel} />`}
    <${Removal} channel=${channel} />
  </div>`;
}

function Bot({ channel }) {
  const words = text.channels.flow;
  return html`<section class="channel-card">
    <h3>${words.title}</h3>
    <p>${channel.has_flow ? words.present(channel.flow_version) : words.none}</p>
    <div class="form-foot">
      <${LinkButton} icon="bot" href=${to(["admin", "channels", channel.id, "flow"])}>${channel.has_flow ? words.open : words.make}<//>
    </div>
  </section>`;
}

function Settings({ channel }) {
  const words = text.channels;
  // The draft of the channel as it was when the page was opened; what comes later is taken over by the effect.
  const [draft] = useState(() => new ChannelDraft(channel));
  useEffect(() => draft.take(channel), [draft, channel]);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const values = draft.values.value;
  const errors = draft.errors.value;
  const set = (field, value) => draft.set(field, value);
  const save = async (event) => {
    event.preventDefault();
    const sent = draft.prepare();
    setProblem(null);
    if (!draft.dirty.peek()) return;
    setBusy(true);
    try {
      const saved = await patch(`/v1/channels/${channel.id}`, sent.body);
      draft.take(saved, sent.values);
      draft.errors.value = {};
      channels.put(saved);
      say(words.saved);
    } catch (caught) {
      draft.errors.value = caught.errors ?? {};
      setProblem(caught);
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="channel-card form" onSubmit=${save} noValidate>
    <${LeaveGuard} when=${draft.dirty.value} />
    <h3>${words.settings}</h3>
    <${TextField} label=${words.name} value=${values.name} errors=${errors.name} maxlength="100" onInput=${(value) => set("name", value)} />
    ${channel.messenger && html`<${Messenger} values=${values} kept=${channel.messenger} errors=${errors} set=${set} />`}
    ${channel.kind === "web" && html`<${Origins} value=${values.allowed_origins} errors=${errors} onChange=${(value) => set("allowed_origins", value)} />`}
    <${Hours} value=${values.business_hours} errors=${errors} onChange=${(value) => set("business_hours", value)} />
    <${Reassignment} values=${values} errors=${errors} set=${set} />
    <${SaveBar} draft=${draft} problem=${problem} busy=${busy} onDiscard=${() => {
      draft.discard();
      setProblem(null);
    }} />
  </form>`;
}

function Reassignment({ values, errors, set }) {
  const words = text.channels.reassignment;
  return html`<fieldset class="channel-rows">
    <legend>${words.title}</legend>
    <p class="field-hint">${words.hint}</p>
    ${["disconnected", "unanswered"].map((which) => {
      const field = `${which}_after_seconds`;
      return html`<${TextField} key=${which} label=${words[which]} hint=${words.never} type="number" min="10" max="86400"
        value=${values[field]} errors=${errors[`reassignment.${field}`]} onInput=${(value) => set(field, value)} />`;
    })}
  </fieldset>`;
}

/** What is unsaved, and what to do about it; it stays in view. */
function SaveBar({ draft, problem, busy, onDiscard }) {
  const words = text.channels;
  const conflicts = draft.conflicts.value;
  const dirty = draft.dirty.value;
  return html`<footer class=${`channel-save ${dirty ? "channel-save-dirty" : ""}`} aria-live="polite">
    ${
      conflicts.length > 0 &&
      html`<p class="channel-notice channel-notice-warn">${words.changedMeanwhile(conflicts.map((field) => words.fields[field]).join(", "))}</p>`
    }
    ${problem && html`<p class="form-problem">${explain(problem)}</p>`}
    <div class="form-foot">
      <${Button} kind="primary" type="submit" busy=${busy} disabled=${!dirty}>${busy ? text.actions.saving : text.actions.save}<//>
      ${dirty && html`<${Button} onClick=${onDiscard}>${words.discard}<//><span class="channel-save-words">${words.unsaved}</span>`}
    </div>
  </footer>`;
}
