/** Why an agent counts as connected or not: what is open, and what of late turned it. */

import { Button } from "../../../components/button.js";
import { Dialog } from "../../../components/dialog.js";
import { Loaded } from "../../../components/states.js";
import { Time } from "../../../components/time.js";
import { get } from "../../../core/api.js";
import { duration } from "../../../core/format.js";
import { useFresh } from "../../../core/fresh.js";
import { html } from "../../../html.js";
import { epoch } from "../../../store/live.js";
import { text } from "../../../text/index.js";

export function Presence({ agent, onClose }) {
  const words = text.admin.agents.presence;
  const loading = useFresh(() => get(`/v1/agents/${agent.id}/presence`), [agent.id], [agent.version, epoch.value]);
  return html`<${Dialog} title=${words.title(agent.name)} onClose=${onClose} wide>
    <${Loaded} loading=${loading} lines=${6}>${(presence) => html`<${Evidence} presence=${presence} />`}<//>
    <footer class="dialog-foot">
      <${Button} busy=${loading.loading.value} onClick=${() => loading.reload()}>${words.refresh}<//>
      <${Button} kind="primary" onClick=${onClose}>${text.actions.close}<//>
    </footer>
  <//>`;
}

function Evidence({ presence }) {
  const words = text.admin.agents.presence;
  const { availability, availability_since: since, availability_set_by: setBy, connections, recent_changes: changes } = presence;
  return html`<div class="dialog-text presence">
    <p class=${`admin-notice admin-notice-${presence.connected ? "good" : "plain"}`} role="status">${presence.explanation}</p>
    <p>
      ${words.status}: <strong>${text.availability[availability]}</strong>
      <span class="soft"> ${words.since} <${Time} at=${since} />, ${setBy ? words.setBy(setBy.name ?? text.authors[setBy.kind]) : words.neverSet}</span>
    </p>
    <section>
      <h3>${words.connections}</h3>
      ${connections.length === 0 && html`<p class="soft">${words.noConnections}</p>`}
      <ul class="presence-facts">
        ${connections.map((connection) => html`<${Connection} key=${connection.id} connection=${connection} asOf=${presence.as_of} />`)}
      </ul>
    </section>
    <section>
      <h3>${words.changes}</h3>
      ${changes.length === 0 && html`<p class="soft">${words.noChanges}</p>`}
      <ul class="presence-facts presence-facts-long" tabindex=${changes.length > 0 ? 0 : undefined} aria-label=${words.changes}>
        ${changes.map(
          (change) => html`<li key=${`${change.at} ${change.cause}`} class="presence-fact">
            <span class=${`pill ${change.connected ? "pill-good" : ""}`}>${words.became[change.connected]}</span>
            <span class="presence-fact-words">${words.causes[change.cause] ?? change.cause}</span>
            <span class="soft"><${Time} at=${change.at} /></span>
          </li>`,
        )}
      </ul>
    </section>
  </div>`;
}

function Connection({ connection: { kind, state, age_seconds: age, renewed_at: renewed }, asOf }) {
  const words = text.admin.agents.presence;
  const silence = Math.max(0, (Date.parse(asOf) - Date.parse(renewed)) / 1000);
  return html`<li class="presence-fact">
    <span class=${`pill ${state === "open" ? "pill-good" : "pill-warn"}`}>${words.states[state] ?? state}</span>
    <span class="presence-fact-words">${words.kinds[kind] ?? kind}</span>
    <span class="soft">${words.opened} ${duration(age)} · ${words.renewed} ${words.ago(duration(silence))}</span>
  </li>`;
}
