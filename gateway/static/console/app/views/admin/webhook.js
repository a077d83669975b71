/** Admin: one webhook: how it stands, its trial, its log, its settings and its end. */

import { useEffect, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { Icon } from "../../components/icon.js";
import { PageHead } from "../../components/page_head.js";
import { Empty, Loaded } from "../../components/states.js";
import { get, patch, remove } from "../../core/api.js";
import { useFresh, useRepeated } from "../../core/fresh.js";
import { go, to } from "../../core/route.js";
import { complain, say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { epoch } from "../../store/live.js";
import { text } from "../../text/index.js";
import { Log } from "./webhook/log.js";
import { Settings } from "./webhook/form.js";
import { SecretCard } from "./webhook/secret.js";
import { StateNotice, StatePill } from "./webhook/state.js";
import { Trial } from "./webhook/trial.js";

const LOOKED_FOR = 5_000;

export function WebhookPage({ webhookId }) {
  const words = text.admin.webhooks;
  const path = `/v1/webhooks/${webhookId}`;
  const loading = useFresh(() => get(path), [webhookId], [epoch.value]);
  const [removed, setRemoved] = useState(false);
  const gone = removed || loading.problem.value?.status === 404;
  // Once the form is away with what was not saved in it, which would ask first.
  useEffect(() => {
    if (removed) go(["admin", "webhooks"]);
  }, [removed]);
  // What was deleted doesn't come back.
  useRepeated(() => (gone ? null : loading.reload()), LOOKED_FOR);
  const back = html`<a class="admin-crumb" href=${to(["admin", "webhooks"])}><${Icon} name="back" size=${14} />${words.all}</a>`;
  if (gone) return html`<${Empty} icon="webhook" title=${words.notFound}><p>${words.notFoundLead}</p>${back}<//>`;
  // What a call answered is the newest; what is under way may be older.
  const onChanged = (webhook) => {
    loading.drop();
    loading.value.value = webhook;
  };
  return html`<${Loaded} loading=${loading} lines=${8}>
    ${(webhook) => html`<section class="admin-section">
      <${PageHead} title=${webhook.description || webhook.url} back=${back}
        lead=${html`<${StatePill} webhook=${webhook} /> ${webhook.description && html`<span class="webhook-url">${webhook.url}</span>`}`}
        actions=${html`<${Enabling} webhook=${webhook} onChanged=${onChanged} />`} />
      <${StateNotice} webhook=${webhook} />
      <div class="webhook-columns">
        <div class="webhook-main">
          <${Log} webhook=${webhook} trial=${(list) => html`<${Trial} webhook=${webhook} list=${list} onTold=${() => loading.reload()} />`} />
        </div>
        <div class="webhook-side">
          <${Settings} webhook=${webhook} onChanged=${onChanged} />
          <${SecretCard} webhook=${webhook} onChanged=${onChanged} />
          <${Removal} path=${path} onRemoved=${() => setRemoved(true)} />
        </div>
      </div>
    </section>`}
  <//>`;
}

function Enabling({ webhook, onChanged }) {
  const words = text.admin.webhooks.enabling;
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const set = async (enabled) => {
    onChanged(await patch(`/v1/webhooks/${webhook.id}`, { enabled }));
    say(enabled ? words.enabled : words.disabled);
  };
  const enable = async () => {
    setBusy(true);
    await set(true).catch(complain);
    setBusy(false);
  };
  return html`
    ${
      webhook.enabled
        ? html`<${Button} onClick=${() => setAsking(true)}>${words.disable}<//>`
        : html`<${Button} busy=${busy} onClick=${enable}>${words.enable}<//>`
    }
    ${asking && html`<${Confirm} title=${words.title} action=${words.disable} onConfirm=${() => set(false)} onClose=${() => setAsking(false)}><p>${words.lead}</p><//>`}
  `;
}

function Removal({ path, onRemoved }) {
  const words = text.admin.webhooks.removal;
  const [asking, setAsking] = useState(false);
  const confirm = async () => {
    try {
      await remove(path);
    } catch (problem) {
      if (problem.code !== "WEBHOOK_NOT_FOUND") throw problem;
    }
    say(words.done);
    onRemoved();
  };
  return html`<section class="admin-card admin-card-danger">
    <p class="soft">${words.lead}</p>
    <div class="form-foot"><${Button} kind="danger" icon="trash" onClick=${() => setAsking(true)}>${words.start}<//></div>
    ${asking && html`<${Confirm} title=${words.title} action=${words.start} onConfirm=${confirm} onClose=${() => setAsking(false)}><p>${words.lead}</p><//>`}
  </section>`;
}
