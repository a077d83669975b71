/** What joins a channel to the outside: a website's snippet, or the address that Facebook calls. */

import { LinkButton } from "../../../components/button.js";
import { CopyBox } from "../../../components/copy_box.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

export function Embed({ channel }) {
  const words = text.channels.embed;
  const { origin } = location;
  const foreign = channel.allowed_origins.length > 0 && !channel.allowed_origins.includes(origin);
  const snippet = `<script src="${origin}/widget.js" data-channel="${channel.id}" async></script>`;
  return html`<section class="channel-card">
    <h3>${words.title}</h3>
    <p class="soft">${words.lead}</p>
    <${CopyBox} label=${words.label} value=${snippet} />
    <div class="form-foot">
      <${LinkButton} icon="external" href=${`/demo?channel=${encodeURIComponent(channel.id)}`} target="_blank" rel="noopener">${words.demo}<//>
    </div>
    ${foreign && html`<p class="field-hint">${words.demoOrigins(origin)}</p>`}
  </section>`;
}

export function WebhookAddress({ channel }) {
  const words = text.channels.webhook;
  return html`<section class="channel-card">
    <h3>${words.title}</h3>
    <${CopyBox} label=${words.label} value=${`${location.origin}/v1/webhooks/messenger/${channel.id}`} hint=${words.hint} />
  </section>`;
}
