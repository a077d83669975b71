/** One conversation in the list: who, where, what was said last and by whom, and whose turn it is. */

import { Icon } from "../../components/icon.js";
import { Avatar } from "../../components/person.js";
import { Time } from "../../components/time.js";
import { moment } from "../../core/format.js";
import { ownId } from "../../core/session.js";
import { html } from "../../html.js";
import { conversations, lastActive } from "../../store/conversations.js";
import { agentName, channelName } from "../../store/people.js";
import { text } from "../../text/index.js";

/** Drawn anew by itself when its conversation changes. */
export function Row({ id, href, chosen, tabIndex }) {
  const conversation = conversations.at(id).value;
  if (conversation === undefined) return null;
  const { contact, channel, unread_count, handler, awaiting_answer_since } = conversation;
  return html`<a class=${`chat-row ${unread_count > 0 ? "chat-row-unread" : ""}`} href=${href} tabindex=${tabIndex} aria-current=${chosen ? "true" : undefined}>
    <${Avatar} id=${contact.id} name=${contact.name} />
    <span class="chat-row-head">
      <span class="chat-row-name" dir="auto">${contact.name}</span><span class="chat-row-time"><${Time} at=${lastActive(conversation)} /></span>
    </span>
    <span class="chat-row-channel" dir="auto">${channelName(channel.id) ?? channel.name}</span>
    <${LastMessage} message=${conversation.last_message} />
    <span class="chat-row-marks">
      ${awaiting_answer_since !== null && handler === "agent" && html`<${Mark} icon="clock" said=${text.chats.awaits(moment(awaiting_answer_since))} />`}
      ${
        unread_count > 0 &&
        html`<span class="badge" title=${text.chats.unread(unread_count)}>
        <span aria-hidden="true">${unread_count > 99 ? "99+" : unread_count}</span><span class="visually-hidden">${text.chats.unread(unread_count)}</span>
      </span>`
      }
      <${Handler} conversation=${conversation} />
    </span>
  </a>`;
}

function LastMessage({ message }) {
  if (message === null) return html`<span class="chat-row-preview soft">${text.chats.noMessages}</span>`;
  const speaker = speakerOf(message.author);
  return html`<span class="chat-row-preview">
    ${speaker && html`<bdi class="chat-row-speaker">${speaker}</bdi> `}<span class="chat-row-words" dir="auto">${message.preview}</span>
  </span>`;
}

function speakerOf({ kind, id, name }) {
  const words = text.chats.said;
  if (kind !== "agent") return words[kind];
  return id === ownId.value ? words.you : words.agent(nameOf(id, name));
}

/** Whose turn it is: the bot's, the line's, an agent's, nobody's. */
function Handler({ conversation: { status, handler, assignee, queue } }) {
  const words = text.chats;
  if (assignee !== null) {
    const name = nameOf(assignee.id, assignee.name);
    const said = assignee.id === ownId.value ? words.handlers.you : words.handlers.agent(name);
    return html`<span class="chat-row-agent" role="img" aria-label=${said} title=${said}><${Avatar} id=${assignee.id} name=${name} size="s" /></span>`;
  }
  if (status === "archived") return null;
  if (handler === "queue") {
    return html`<span class="pill pill-warn" title=${words.waitingLong(queue?.position)}>${words.waiting(queue?.position)}</span>`;
  }
  return handler === "bot"
    ? html`<${Mark} icon="bot" said=${words.handlers.bot} />`
    : html`<${Mark} icon="person" said=${words.handlers.nobody} />`;
}

function Mark({ icon, said }) {
  return html`<span class=${`chat-row-mark chat-row-mark-${icon}`} role="img" aria-label=${said} title=${said}><${Icon} name=${icon} size=${16} /></span>`;
}

/** An agent's name as it is now; conversations learn of a new one late. */
function nameOf(id, name) {
  return agentName(id) ?? name;
}
