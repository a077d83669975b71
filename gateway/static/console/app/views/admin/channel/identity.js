/** The secret by which a website says who its signed-in users are: made, shown once, replaced, taken away. */

import { useState } from "preact/hooks";
import { Button } from "../../../components/button.js";
import { CopyBox } from "../../../components/copy_box.js";
import { Confirm, Dialog } from "../../../components/dialog.js";
import { get, post, remove } from "../../../core/api.js";
import { complain, say } from "../../../core/toasts.js";
import { html } from "../../../html.js";
import { channels } from "../../../store/people.js";
import { text } from "../../../text/index.js";

export function Identity({ channel }) {
  const words = text.channels.identity;
  const [asking, setAsking] = useState(null);
  const [secret, setSecret] = useState(null);
  const [busy, setBusy] = useState(false);
  const path = `/v1/channels/${channel.id}/identity-secret`;
  const refresh = async () => channels.put(await get(`/v1/channels/${channel.id}`));
  const renew = async () => {
    setSecret((await post(path)).identity_secret);
    await refresh().catch(complain);
  };
  const make = async () => {
    setBusy(true);
    await renew().catch(complain);
    setBusy(false);
  };
  const takeAway = async () => {
    await remove(path);
    say(words.removed);
    await refresh().catch(complain);
  };
  return html`<section class="channel-card">
    <h3>${words.title}</h3>
    <p class="soft">${words.lead}</p>
    <p>${channel.has_identity_secret ? words.has : words.hasNot}</p>
    <div class="form-foot">
      ${
        channel.has_identity_secret
          ? html`
            <${Button} icon="key" onClick=${() => setAsking("renew")}>${words.renew}<//>
            <${Button} kind="danger" onClick=${() => setAsking("remove")}>${words.remove}<//>
          `
          : html`<${Button} icon="key" busy=${busy} onClick=${make}>${words.make}<//>`
      }
    </div>
    ${
      asking === "renew" &&
      html`<${Confirm} title=${words.renewTitle} action=${words.renew} onConfirm=${renew} onClose=${() => setAsking(null)}><p>${words.renewLead}</p><//>`
    }
    ${
      asking === "remove" &&
      html`<${Confirm} title=${words.removeTitle} action=${words.remove} onConfirm=${takeAway} onClose=${() => setAsking(null)}><p>${words.removeLead}</p><//>`
    }
    ${secret !== null && asking === null && html`<${Shown} secret=${secret} onClose=${() => setSecret(null)} />`}
  </section>`;
}

function Shown({ secret, onClose }) {
  const words = text.channels.identity;
  return html`<${Dialog} title=${words.shownTitle} onClose=${onClose}>
    <p>${words.shownLead}</p>
    <${CopyBox} label=${words.label} value=${secret} />
    <footer class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>${words.copied}<//></footer>
  <//>`;
}
