/** One delivery of the log: a line that opens to all that is known of it. */

import { useId, useState } from "preact/hooks";
import { Button } from "../../../components/button.js";
import { Copy } from "../../../components/copy.js";
import { Icon } from "../../../components/icon.js";
import { Loaded } from "../../../components/states.js";
import { Time } from "../../../components/time.js";
import { get, post } from "../../../core/api.js";
import { exact } from "../../../core/format.js";
import { useFresh } from "../../../core/fresh.js";
import { to } from "../../../core/route.js";
import { complain, say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

const TONES = { waiting: "warn", delivered: "good", failed: "bad" };

/** `path`: of the log; `onChanged(delivery)`. */
export function Delivery({ delivery, path, enabled, onChanged }) {
  const { log: words, kinds } = text.admin.webhooks;
  const [open, setOpen] = useState(false);
  const id = useId();
  const { state, type, created_at: at } = delivery;
  return html`<li class="webhook-delivery">
    <button type="button" class="webhook-delivery-head" aria-expanded=${String(open)} aria-controls=${id} onClick=${() => setOpen(!open)}>
      <${Icon} name=${open ? "down" : "forward"} size=${16} />
      <span class=${`pill pill-${TONES[state]}`}>${words.states[state] ?? state}</span>
      <span class="webhook-delivery-type">${kinds[type] ?? type}</span>
      <span class="soft webhook-delivery-outcome">${outcomeOf(delivery, words)}</span>
      <span class="soft webhook-delivery-time"><${Time} at=${at} /></span>
    </button>
    <div id=${id} class="webhook-delivery-body" hidden=${!open}>
      ${open && html`<${Detail} delivery=${delivery} path=${path} enabled=${enabled} onChanged=${onChanged} />`}
    </div>
  </li>`;
}

function Detail({ delivery, path, enabled, onChanged }) {
  const words = text.admin.webhooks.log;
  const [busy, setBusy] = useState(false);
  const read = () => get(`${path}/${delivery.id}`);
  const loading = useFresh(read, [delivery.id], [delivery.state, delivery.attempts]);
  const again = async () => {
    setBusy(true);
    try {
      const { replayed } = await post(path.replace(/deliveries$/, "replay"), { delivery_ids: [delivery.id] });
      onChanged(await read());
      say(replayed ? words.queued : words.notQueued);
    } catch (problem) {
      complain(problem);
    } finally {
      setBusy(false);
    }
  };
  return html`
    <dl class="webhook-delivery-facts">${factsOf(delivery, words).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <${Loaded} loading=${loading}>${({ payload }) => html`<${Payload} payload=${payload} />`}<//>
    <div class="form-foot">
      <${Button} small icon="history" busy=${busy} disabled=${!enabled || delivery.state === "waiting"} onClick=${again}>${words.again}<//>
    </div>
  `;
}

function Payload({ payload }) {
  const words = text.admin.webhooks.log;
  if (payload === null) return html`<p class="soft">${words.erased}</p>`;
  const shown = JSON.stringify(payload, null, 2);
  return html`<div class="webhook-payload">
    <div class="webhook-payload-head"><h4>${words.payload}</h4><${Copy} value=${shown} /></div>
    <pre tabindex="0" dir="ltr" aria-label=${words.payload}>${shown}</pre>
  </div>`;
}

function factsOf(delivery, words) {
  const time = (at) => at && html`<${Time} at=${at} form=${exact} />`;
  const link = (path, id) => id && html`<a href=${to([...path, id])}>${words.open}</a>`;
  return [
    [words.error, delivery.state !== "delivered" && errorOf(delivery, words)],
    [words.status, delivery.last_status],
    [words.created, time(delivery.created_at)],
    [words.lastAttempt, time(delivery.last_attempt_at)],
    [words.nextAttempt, delivery.state === "waiting" && time(delivery.next_attempt_at)],
    [words.deliveredAt, time(delivery.delivered_at)],
    [words.conversation, link(["chats", "all"], delivery.conversation_id)],
    [words.id, html`<code>${delivery.id}</code>`],
  ].filter(([, value]) => value);
}

function errorOf({ last_error: error }, words) {
  return words.errors[error] ?? error;
}

function outcomeOf(delivery, words) {
  const { attempts, state, last_status: status } = delivery;
  const error = errorOf(delivery, words);
  if (attempts === 0 && !error) return words.untried;
  const last = state === "delivered" || error === null ? status && words.answered(status) : error;
  return [words.attempts(attempts), last].filter(Boolean).join(", ");
}
