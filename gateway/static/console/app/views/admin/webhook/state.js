/** How a webhook stands: at a glance, and in words. */

import { Icon } from "../../../components/icon.js";
import { Time } from "../../../components/time.js";
import { html } from "../../../html.js";
import { text } from "../../../text/index.js";

const TONES = { enabled: "good", failing: "warn", disabled: "bad" };

export function StatePill({ webhook }) {
  const state = stateOf(webhook);
  return html`<span class=${`pill pill-${TONES[state]}`}>${text.admin.webhooks.states[state]}</span>`;
}

/** What is wrong with it, if anything is. */
export function StateNotice({ webhook }) {
  const words = text.admin.webhooks;
  const state = stateOf(webhook);
  if (state === "enabled") return null;
  return html`<p class=${`admin-notice admin-notice-${TONES[state]}`}>
    <${Icon} name="warning" size=${16} />
    <span>${state === "failing" ? html`${words.failingSince} <${Time} at=${webhook.failing_since} />.` : reasonOf(webhook, words)}</span>
  </p>`;
}

function reasonOf({ disabled_reason: reason }, words) {
  return reason ? `${reason} ${words.disabledLead}` : words.disabledByHand;
}

function stateOf({ enabled, failing_since: failingSince }) {
  if (!enabled) return "disabled";
  return failingSince === null ? "enabled" : "failing";
}
