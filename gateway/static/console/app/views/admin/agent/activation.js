/** Closing an account, and opening it again. */

import { useState } from "preact/hooks";
import { Confirm } from "../../../components/dialog.js";
import { patch } from "../../../core/api.js";
import { ownId } from "../../../core/session.js";
import { say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { agents } from "../../../store/people.js";
import { text } from "../../../text/index.js";

export function Activation({ agent, onClose }) {
  // What is asked stays what was asked, whatever becomes of the account meanwhile.
  const [active] = useState(agent.active);
  return active
    ? html`<${Deactivation} agent=${agent} onClose=${onClose} />`
    : html`<${Reactivation} agent=${agent} onClose=${onClose} />`;
}

function Deactivation({ agent, onClose }) {
  const words = text.admin.agents.deactivation;
  return html`<${Confirm} title=${words.title(agent.name)} action=${text.admin.agents.deactivate} onClose=${onClose}
    onConfirm=${() => setActive(agent, false, words)}>
    <p>${words.lead}</p>
    ${agent.active_conversations > 0 && html`<p>${words.conversations(agent.active_conversations)}</p>`}
    ${agent.id === ownId.value && html`<p><strong>${words.own}</strong></p>`}
  <//>`;
}

function Reactivation({ agent, onClose }) {
  const words = text.admin.agents.reactivation;
  return html`<${Confirm} title=${words.title(agent.name)} action=${text.admin.agents.reactivate} kind="primary" onClose=${onClose}
    onConfirm=${() => setActive(agent, true, words)}>
    <p>${words.lead}</p>
  <//>`;
}

async function setActive(agent, active, words) {
  const saved = await patch(`/v1/agents/${agent.id}`, { active });
  agents.put(saved);
  say(words.done(saved.name));
}
