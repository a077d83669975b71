/** One turn of a conversation: who, what, when, and how far it came. */

import { Component } from "preact";
import { Button } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { Avatar } from "../../components/person.js";
import { Time } from "../../components/time.js";
import { Words } from "../../components/words.js";
import { clock } from "../../core/format.js";
import { me } from "../../core/session.js";
import { explain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { Delivery } from "./delivery.js";

/**
 * `name`: the author's, as shown; `side`: `visitor`, `bot`, `agent`, `own` or `system`; `state`: its delivery's, or null.
 * Drawn anew only when one of them changes: there may be thousands.
 */
export class Turn extends Component {
  shouldComponentUpdate(next) {
    return Object.keys(next).some((key) => next[key] !== this.props[key]);
  }

  render({ message, name, side, heads, ends, isNew, state }) {
    const { seq, author, text: words, choices, created_at, delivery } = message;
    return html`<li class=${`thread-turn thread-turn-${side} ${heads ? "thread-turn-heads" : ""}`} data-seq=${seq}>
      ${isNew && html`<p class="thread-new"><span>${text.thread.newOnes}</span></p>`}
      ${heads ? html`<${Author} ...${{ side, name, author }} />` : html`<span class="visually-hidden">${name}</span>`}
      <div class="thread-bubble">
        ${words === "" ? html`<em class="soft">${text.thread.erased}</em>` : html`<${Words}>${words}<//>`}
        ${choices?.length > 0 && html`<${Choices} choices=${choices} />`}
        <p class="thread-turn-foot">
          <${Time} at=${created_at} form=${clock} />
          ${state && html`<${Delivery} state=${state} delivery=${delivery} told=${ends} />`}
        </p>
      </div>
    </li>`;
  }
}

/** One that the server hasn't confirmed. */
export function PendingTurn({ entry, outbox, heads }) {
  const words = text.thread.pending;
  const { client_message_id: id, text: said, created_at, state, why, problem } = entry;
  return html`<li class=${`thread-turn thread-turn-own thread-turn-${state} ${heads ? "thread-turn-heads" : ""}`}>
    ${heads ? html`<${Author} side="own" name=${text.thread.you} author=${me.value} />` : html`<span class="visually-hidden">${text.thread.you}</span>`}
    <div class="thread-bubble">
      <${Words}>${said}<//>
      <p class="thread-turn-foot">
        <${Time} at=${created_at} form=${clock} />
        <span class="thread-delivery" role=${state === "failed" ? "alert" : undefined}><${Icon} name=${state === "failed" ? "warning" : "clock"} size=${14} />${told(state, why, problem)}</span>
      </p>
    </div>
    ${
      state === "failed" &&
      html`<p class="thread-turn-actions">
      <${Button} small onClick=${() => outbox.retry(id)}>${words.retry}<//>
      <${Button} small kind="quiet" onClick=${() => outbox.discard(id)}>${words.discard}<//>
    </p>`
    }
  </li>`;
}

function Author({ side, name, author }) {
  return html`<p class="thread-turn-author">
    ${
      side === "bot" || side === "system"
        ? html`<span class="thread-turn-mark"><${Icon} name=${side === "bot" ? "bot" : "clock"} size=${16} /></span>`
        : html`<${Avatar} id=${author.id} name=${side === "visitor" ? name : author.name} size="s" />`
    }
    <span dir="auto">${name}</span>
  </p>`;
}

function Choices({ choices }) {
  return html`<ul class="thread-choices" aria-label=${text.thread.choices}>
    ${choices.map(({ label, value }) => html`<li key=${value} class="thread-choice" dir="auto">${label}</li>`)}
  </ul>`;
}

function told(state, why, problem) {
  const words = text.thread.pending;
  if (state === "sending") return words.sending;
  if (state === "waiting") return problem?.status === 429 ? words.later : words.waiting;
  if (why === "refused")
    return words.refused(words.problems[problem?.code] ?? (problem ? explain(problem) : text.problems.unknown));
  return words[why];
}
