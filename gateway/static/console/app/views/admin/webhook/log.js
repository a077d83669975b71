/** The log of a webhook: what was sent to it or waits to be, newest first, and sending it again. */

import { useMemo, useState } from "preact/hooks";
import { Button } from "../../../components/button.js";
import { EndOfList } from "../../../components/end_of_list.js";
import { Select } from "../../../components/field.js";
import { Empty } from "../../../components/states.js";
import { get } from "../../../core/api.js";
import { useRepeated } from "../../../core/fresh.js";
import { html } from "../../../html.js";
import { LiveList } from "../../../store/live_list.js";
import { useLive } from "../../../store/use_live.js";
import { text } from "../../../text/index.js";
import { Delivery } from "./delivery.js";
import { Replay } from "./replay.js";

const PAGE = 20;
const LOOKED_FOR = 5_000;

/** `trial(list)` draws what sends a trial, with the list to tell of it. */
export function Log({ webhook, trial }) {
  const words = text.admin.webhooks.log;
  const [state, setState] = useState("");
  const [replaying, setReplaying] = useState(false);
  const path = `/v1/webhooks/${webhook.id}/deliveries`;
  const list = useMemo(() => logOf(path, state), [path, state]);
  useLive(list);
  // Deliveries have no events: the newest ones are looked for, of every state, so that one that changed is found.
  useRepeated(async () => {
    for (const delivery of (await get(path, { limit: PAGE })).items) list.put(delivery);
  }, LOOKED_FOR);
  const items = list.items.value;
  return html`<section class="admin-card">
    <header class="webhook-log-head">
      <div><h3>${words.title}</h3><p class="soft">${words.lead}</p></div>
      <div class="form-foot">
        ${trial(list)}
        <${Button} icon="history" disabled=${!webhook.enabled} onClick=${() => setReplaying(true)}>${text.admin.webhooks.replay.start}<//>
      </div>
    </header>
    ${!webhook.enabled && html`<p class="soft">${text.admin.webhooks.replay.enableFirst}</p>`}
    <div class="webhook-log-filter">
      <${Select} label=${words.filter} value=${state} onInput=${setState}
        options=${Object.entries(words.states).map(([value, label]) => ({ value: value === "all" ? "" : value, label }))} />
      <${Button} kind="quiet" onClick=${() => list.reload()}>${words.refresh}<//>
    </div>
    ${items.length === 0 && list.loaded.value && html`<${Empty} title=${state ? words.emptyState : words.empty} />`}
    <ul class="webhook-log">
      ${items.map((delivery) => html`<${Delivery} key=${delivery.id} delivery=${delivery} path=${path} enabled=${webhook.enabled} onChanged=${(changed) => list.put(changed)} />`)}
    </ul>
    <${EndOfList} pages=${list} byHand />
    ${replaying && html`<${Replay} path=${`/v1/webhooks/${webhook.id}/replay`} onDone=${() => list.reload()} onClose=${() => setReplaying(false)} />`}
  </section>`;
}

function logOf(path, state) {
  return new LiveList({
    fetchPage: (cursor) => get(path, { state, cursor, limit: PAGE }),
    // What happened at one time keeps the order of the answer.
    order: (one, other) => Date.parse(other.created_at) - Date.parse(one.created_at),
    holds: (delivery) => state === "" || delivery.state === state,
  });
}
