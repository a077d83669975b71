/** A trial event, and what came of it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../../components/button.js";
import { Time } from "../../../components/time.js";
import { get, post } from "../../../core/api.js";
import { exact } from "../../../core/format.js";
import { complain } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

const STEP = 500; // milliseconds
const PATIENCE = 20_000; // a receiver has ten seconds to answer

/** `list`: the log, which is told of it; `onTold()` when something is known, which may have changed the webhook too. */
export function Trial({ webhook, list, onTold }) {
  const words = text.admin.webhooks.trial;
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState(null);
  const here = useRef(true);
  useEffect(
    () => () => {
      here.current = false;
    },
    [],
  );
  const send = async () => {
    setBusy(true);
    setOutcome(null);
    try {
      setOutcome(await follow(await post(`/v1/webhooks/${webhook.id}/ping`)));
      onTold();
    } catch (problem) {
      complain(problem);
    } finally {
      setBusy(false);
    }
  };
  const follow = async (sent) => {
    let delivery = sent;
    for (const end = Date.now() + PATIENCE; Date.now() < end && here.current;) {
      list.put(delivery);
      if (delivery.attempts > 0 || delivery.state !== "waiting") return delivery;
      await pause(STEP);
      delivery = await get(`/v1/webhooks/${webhook.id}/deliveries/${delivery.id}`);
    }
    return delivery;
  };
  return html`<div class="webhook-trial">
    <${Button} icon="send" busy=${busy} disabled=${!webhook.enabled} onClick=${send}>${busy ? words.sending : words.send}<//>
    <div class="webhook-trial-outcome" role="status">${outcome && html`<${Outcome} delivery=${outcome} />`}</div>
  </div>`;
}

function Outcome({ delivery: { state, attempts, last_status: status, last_error: error, next_attempt_at: next } }) {
  const words = text.admin.webhooks.trial;
  if (state === "delivered") return html`<p class="admin-notice admin-notice-good">${words.delivered(status)}</p>`;
  if (state === "waiting" && attempts === 0) return html`<p class="admin-notice admin-notice-plain">${words.slow}</p>`;
  return html`<p class="admin-notice admin-notice-bad">
    <span>${words.failed(error ?? "")}${state === "waiting" && next && html` ${words.again} <${Time} at=${next} form=${exact} />.`}</span>
  </p>`;
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
