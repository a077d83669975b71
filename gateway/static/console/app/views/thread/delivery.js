/** How far a message of ours has come, in an icon and in words. */

import { Icon } from "../../components/icon.js";
import { fullTime } from "../../core/format.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";

const ICONS = { queued: "clock", sent: "check", delivered: "checks", read: "checks", seen: "checks", failed: "warning" };

/** `state` as in `stateOf`; `told` says it in words besides. */
export function Delivery({ state, delivery, told }) {
  const words = text.thread.delivery;
  const reason = delivery?.reason;
  const why = reason ? words.why(words[state], words[reason.code] ?? reason.message) : words[state];
  const title = delivery ? `${why} (${fullTime(delivery.at)})` : why;
  return html`<span class=${`thread-delivery thread-delivery-${state}`} title=${title}>
    <${Icon} name=${ICONS[state]} size=${14} />
    <span class=${told || reason ? "" : "visually-hidden"} dir="auto">${why}</span>
  </span>`;
}

/** What a channel tells of a message; on websites what the visitor's reading tells of an agent's. Null where nothing is known. */
export function stateOf(message, visitorReadSeq) {
  if (message.delivery !== null) return message.delivery.state;
  if (message.author.kind !== "agent") return null;
  return message.seq <= visitorReadSeq ? "seen" : "sent";
}
