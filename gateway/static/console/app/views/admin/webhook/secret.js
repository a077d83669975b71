/** The secret by which a webhook's receiver knows what Foyer sent: shown once, replaced by a new one. */

import { useState } from "preact/hooks";
import { Button } from "../../../components/button.js";
import { CopyBox } from "../../../components/copy_box.js";
import { Confirm, Dialog } from "../../../components/dialog.js";
import { post } from "../../../core/api.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

/** The window that shows a secret that was just made. */
export function Secret({ secret, onClose }) {
  const words = text.admin.webhooks.secret;
  return html`<${Dialog} title=${words.title} onClose=${onClose} firm>
    <p class="dialog-text">${words.made}</p>
    <${CopyBox} label=${words.label} value=${secret} />
    <footer class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>${text.admin.copied}<//></footer>
  <//>`;
}

export function SecretCard({ webhook, onChanged }) {
  const words = text.admin.webhooks.secret;
  const [asking, setAsking] = useState(false);
  const [secret, setSecret] = useState(null);
  const rotate = async () => {
    const { secret: made, ...changed } = await post(`/v1/webhooks/${webhook.id}/secret`);
    setSecret(made);
    onChanged(changed);
  };
  return html`<section class="admin-card">
    <h3>${words.title}</h3>
    <p class="soft">${words.lead}</p>
    <div class="form-foot"><${Button} icon="key" onClick=${() => setAsking(true)}>${words.rotate}<//></div>
    ${asking && html`<${Confirm} title=${words.rotateTitle} action=${words.rotate} kind="primary" onConfirm=${rotate} onClose=${() => setAsking(false)}><p>${words.rotateLead}</p><//>`}
    ${secret !== null && !asking && html`<${Secret} secret=${secret} onClose=${() => setSecret(null)} />`}
  </section>`;
}
