/** The top of the profile: whose it is, and who has the conversation. */

import { IconButton } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { Avatar } from "../../components/person.js";
import { html } from "../../html.js";
import { channels } from "../../store/people.js";
import { text } from "../../text/index.js";
import { Assignee } from "./assignee.js";

/** `contact` is missing before it is loaded and once it is `gone`, when nobody takes its conversation any more. */
export function Head({ contact, gone = false, conversationId, conversation, onBack }) {
  const who = contact ?? conversation?.contact ?? { id: "", name: "" };
  const channel = channels.get(contact?.channel_id) ?? conversation?.channel;
  return html`<header class="profile-head">
    <div class="profile-who">
      ${onBack && html`<${IconButton} icon="back" label=${text.actions.back} onClick=${onBack} />`}
      <${Avatar} id=${who.id} name=${who.name} size="l" />
      <div class="profile-name">
        <h2 dir="auto">${who.name}</h2>
        <p class="soft profile-channel">
          ${channel && html`<${Channel} ...${channel} />`}
          ${contact?.blocked && html`<span class="pill pill-bad">${text.profile.blocked}</span>`}
        </p>
      </div>
    </div>
    ${!gone && html`<${Assignee} conversationId=${conversationId} conversation=${conversation} />`}
  </header>`;
}

function Channel({ name, kind }) {
  return html`<${Icon} name=${kind === "messenger" ? "messenger" : "globe"} size=${14} /><span dir="auto">${name}</span><span>· ${text.kinds[kind]}</span>`;
}
