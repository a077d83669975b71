/** The colleagues whom a conversation can be given to: oneself, then who is connected, each with status and load. */

import { useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { TextField } from "../../components/field.js";
import { Icon } from "../../components/icon.js";
import { Avatar, StatusDot } from "../../components/person.js";
import { ownId } from "../../core/session.js";
import { html } from "../../html.js";
import { agents } from "../../store/people.js";
import { text } from "../../text/index.js";

const MANY = 8; // more than these are looked for by name
const MAX_REMARK = 500;

/** `give(agent, remark)`, `take(remark)`. */
export function AssigneeMenu({ assignee, queued, close, give, take }) {
  const words = text.profile.assignee;
  const frame = useRef(null);
  const [sought, setSought] = useState("");
  const [remark, setRemark] = useState(null);
  const everyone = agents.items.value.filter(({ active }) => active).sort(presentFirst);
  const shown = everyone.filter(({ name }) => name.toLowerCase().includes(sought.trim().toLowerCase()));
  const choose = (action) => () => {
    close();
    action((remark ?? "").trim());
  };
  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const choices = [...frame.current.querySelectorAll(".assignee-choice")];
    const at = choices.indexOf(document.activeElement);
    choices[at === -1 ? 0 : (at + step + choices.length) % choices.length]?.focus();
  };
  return html`<div class="assignee-menu" ref=${frame} onKeyDown=${onKeyDown}>
    ${everyone.length > MANY && html`<${TextField} label=${words.filter} hideLabel type="search" placeholder=${words.filter} value=${sought} onInput=${setSought} />`}
    <ul class="assignee-choices">
      ${
        !sought.trim() &&
        html`<li key="nobody">
        <${Choice} chosen=${!assignee && !queued} onClick=${choose((said) => (assignee || queued) && take(said))}>
          <span class="assignee-name">${words.nobody}${queued && html` <span class="soft">${words.outOfLine}</span>`}</span>
        <//>
      </li>`
      }
      ${shown.map(
        (agent) => html`<li key=${agent.id}>
          <${Choice} chosen=${agent.id === assignee?.id} onClick=${choose((said) => agent.id !== assignee?.id && give(agent, said))}>
            <${Avatar} id=${agent.id} name=${agent.name} size="s" />
            <span class="assignee-name" dir="auto">${agent.name}</span>
            ${agent.id === ownId.value && html`<span class="soft">(${words.you})</span>`}
            <span class="assignee-load" title=${words.loadLong(agent.active_conversations, agent.capacity)}>${words.load(agent.active_conversations, agent.capacity)}</span>
            <${StatusDot} agent=${agent} />
          <//>
        </li>`,
      )}
    </ul>
    ${shown.length === 0 && html`<p class="soft" role="status">${words.noneFound}</p>`}
    ${
      remark === null
        ? html`<${Button} kind="quiet" small icon="plus" onClick=${() => setRemark("")}>${words.addRemark}<//>`
        : html`<${TextField} label=${words.remark} hint=${words.remarkHint} maxlength=${MAX_REMARK} value=${remark} onInput=${setRemark} inputRef=${focusOnce} />`
    }
  </div>`;
}

function Choice({ chosen, onClick, children }) {
  return html`<button type="button" class="assignee-choice" aria-current=${chosen ? "true" : undefined} onClick=${onClick}>
    ${children}${chosen && html`<${Icon} name="check" size=${14} />`}
  </button>`;
}

/** For a ref: has the focus as it appears. */
function focusOnce(element) {
  element?.focus();
}

function presentFirst(one, other) {
  const own = ownId.peek();
  return (
    Number(other.id === own) - Number(one.id === own) ||
    Number(other.connected) - Number(one.connected) ||
    Number(busy(one)) - Number(busy(other))
  );
}

function busy({ availability }) {
  return availability !== "available";
}
