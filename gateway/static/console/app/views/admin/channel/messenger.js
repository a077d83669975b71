/** How a channel of kind messenger is joined to its Facebook page. Secrets are written, never shown. */

import { IconButton } from "../../../components/button.js";
import { Checkbox, TextField } from "../../../components/field.js";
import { Icon } from "../../../components/icon.js";
import { Time } from "../../../components/time.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";
import { SECRETS } from "./draft.js";

/** What keeps messages from being sent, or nothing. */
export function Fault({ fault }) {
  const words = text.channels.messenger;
  if (!fault) return null;
  return html`<div class="channel-notice channel-notice-bad" role="alert">
    <${Icon} name="warning" />
    <div>
      <p><strong>${words.fault}</strong></p>
      <p dir="auto">${fault.message}</p>
      <p class="soft">${words.code} ${fault.code} · ${words.since} <${Time} at=${fault.since} /></p>
      <p>${words.faultHint}</p>
    </div>
  </div>`;
}

/** `set(field, value)`; `kept`: the channel's `messenger`. */
export function Messenger({ values, kept, errors, set }) {
  const words = text.channels.messenger;
  return html`<fieldset class="channel-rows">
    <legend>${words.title}</legend>
    <${TextField} label=${words.page} value=${values.page_id} inputmode="numeric" errors=${errors["messenger.page_id"]}
      onInput=${(value) => set("page_id", value)} />
    ${SECRETS.map(
      (
        secret,
      ) => html`<${Secret} key=${secret} secret=${secret} value=${values[secret]} kept=${kept[`has_${secret}`]} errors=${errors[`messenger.${secret}`]}
        onInput=${(value) => set(secret, value)} />`,
    )}
    <${Checkbox} label=${words.tag} hint=${words.tagHint} checked=${values.human_agent_tag} onInput=${(value) => set("human_agent_tag", value)} />
  </fieldset>`;
}

function Secret({ secret, value, kept, errors, onInput }) {
  const words = text.channels.messenger;
  const present = kept && value !== null;
  return html`<div class="row-editor">
    <${TextField} label=${words.secrets[secret]} hint=${words.hints[secret]} type="password" autocomplete="off" data-1p-ignore spellcheck="false"
      value=${value ?? ""} placeholder=${present ? words.kept : words.none} errors=${errors} onInput=${onInput} />
    ${present && html`<${IconButton} icon="trash" label=${words.takeAway(words.secrets[secret])} onClick=${() => onInput(null)} />`}
  </div>`;
}
