/** Admin: the webhooks, and how one is made. */

import { useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { PageHead } from "../../components/page_head.js";
import { Empty, Loaded } from "../../components/states.js";
import { Table } from "../../components/table.js";
import { Time } from "../../components/time.js";
import { all } from "../../core/api.js";
import { useFresh, useRepeated } from "../../core/fresh.js";
import { go, to } from "../../core/route.js";
import { html } from "../../html.js";
import { epoch } from "../../store/live.js";
import { text } from "../../text/index.js";
import { NewWebhook } from "./webhook/form.js";
import { Secret } from "./webhook/secret.js";
import { StatePill } from "./webhook/state.js";

// Webhooks have no events: that one begins to fail is looked for.
const LOOKED_FOR = 15_000;

export function WebhooksPage() {
  const words = text.admin.webhooks;
  const loading = useFresh(() => all("/v1/webhooks"), [], [epoch.value]);
  useRepeated(() => loading.reload(), LOOKED_FOR);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  const onMade = (webhook) => {
    setMade(webhook);
    loading.reload();
  };
  return html`<section class="admin-section">
    <${PageHead} title=${words.title} lead=${words.lead}
      actions=${html`<${Button} kind="primary" icon="plus" onClick=${() => setMaking(true)}>${words.add}<//>`} />
    <${Loaded} loading=${loading}>${(items) => html`<${List} items=${items} />`}<//>
    ${making && html`<${NewWebhook} onMade=${onMade} onClose=${() => setMaking(false)} />`}
    ${made !== null && !making && html`<${Secret} secret=${made.secret} onClose=${() => go(["admin", "webhooks", made.id])} />`}
  </section>`;
}

function List({ items }) {
  const words = text.admin.webhooks;
  if (items.length === 0) return html`<${Empty} icon="webhook" title=${words.empty.title}>${words.empty.lead}<//>`;
  return html`<${Table} label=${words.label} items=${items}
    columns=${[
      {
        id: "url",
        label: words.columns.url,
        head: true,
        cell: (webhook) => html`<a class="webhook-link" href=${to(["admin", "webhooks", webhook.id])}>
          ${webhook.description && html`<bdi>${webhook.description}</bdi>`}<span class=${webhook.description ? "webhook-url soft" : "webhook-url"}>${webhook.url}</span>
        </a>`,
      },
      {
        id: "events",
        label: words.columns.events,
        cell: ({ events }) =>
          html`<span title=${events.map((event) => words.kinds[event] ?? event).join("\n")}>${words.events(events.length)}</span>`,
      },
      {
        id: "channels",
        label: words.columns.channels,
        cell: ({ channel_ids: ids }) => (ids === null ? words.allChannels : words.channels(ids.length)),
      },
      { id: "state", label: words.columns.state, cell: (webhook) => html`<${State} webhook=${webhook} />` },
    ]} />`;
}

function State({ webhook }) {
  const { enabled, failing_since: failingSince, disabled_reason: reason } = webhook;
  return html`<div class="webhook-state">
    <${StatePill} webhook=${webhook} />
    ${enabled && failingSince && html`<p class="soft">${text.admin.webhooks.failingSince} <${Time} at=${failingSince} /></p>`}
    ${!enabled && reason && html`<p class="soft">${reason}</p>`}
  </div>`;
}
