/** Sending many deliveries again: those of a state, since a time. */

import { useState } from "preact/hooks";
import { Confirm } from "../../../components/dialog.js";
import { Select } from "../../../components/field.js";
import { post } from "../../../core/api.js";
import { number } from "../../../core/format.js";
import { say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

const HOUR = 3_600_000;
const PERIODS = { hour: HOUR, day: 24 * HOUR, days: 72 * HOUR, all: null };

export function Replay({ path, onDone, onClose }) {
  const words = text.admin.webhooks.replay;
  const [state, setState] = useState("failed");
  const [period, setPeriod] = useState("day");
  const options = (known) => Object.entries(known).map(([value, label]) => ({ value, label }));
  const send = async () => {
    const back = PERIODS[period];
    const { replayed } = await post(path, { state, since: back && new Date(Date.now() - back).toISOString() });
    say(words.done(replayed, number(replayed)));
    onDone();
  };
  return html`<${Confirm} title=${words.title} action=${words.submit} kind="primary" onConfirm=${send} onClose=${onClose}>
    <p>${words.lead}</p>
    <${Select} label=${words.state} value=${state} onInput=${setState} options=${options(words.states)} />
    <${Select} label=${words.since} value=${period} onInput=${setPeriod} options=${options(words.periods)} />
  <//>`;
}
