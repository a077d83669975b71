/** One decision: what was decided, by whom or which rule, why, and whom it could have been. */

import { Icon } from "../../components/icon.js";
import { Time } from "../../components/time.js";
import { Words } from "../../components/words.js";
import { duration } from "../../core/format.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";

const ICONS = {
  assigned: "person",
  queued: "queue",
  requeued: "queue",
  unassigned: "close",
  returned: "bot",
  left: "close",
  closed: "archive",
};
const AUTOMATIC = new Set(["least_busy", "round_robin", "random"]);

export function Decision({ decision }) {
  const words = text.profile.decision;
  const { action, rule, reason, remark, assignee, candidates } = decision;
  const what = whatOf(action, decision)?.(assignee?.name ?? text.profile.assignee.nobody) ?? action;
  return html`<li class="decision">
    <span class=${`decision-icon ${action === "assigned" ? "decision-assigned" : ""}`}><${Icon} name=${ICONS[action] ?? "history"} size=${16} /></span>
    <article class="decision-body">
      <p class="decision-what"><strong dir="auto">${what}</strong><span class="soft"><${Time} at=${decision.at} /></span></p>
      <p class="decision-by"><span class="pill">${words.rules[rule] ?? rule}</span> <span dir="auto">${by(decision)}</span></p>
      ${reason && html`<p class="decision-reason" dir="auto">${reason}</p>`}
      ${remark && html`<p class="decision-remark"><span class="visually-hidden">${words.remark}: </span><${Words}>${remark}<//></p>`}
      ${waitWords(decision) && html`<p class="soft decision-wait">${waitWords(decision)}</p>`}
      ${
        candidates.length > 0 &&
        html`<details class="decision-candidates">
        <summary>${words.candidates(candidates.length)}</summary>
        <ul>${candidates.map((candidate) => html`<${Candidate} key=${candidate.agent_id} candidate=${candidate} chosen=${candidate.agent_id === assignee?.id} />`)}</ul>
        <p class="soft">${orderWords(decision)}</p>
      </details>`
      }
    </article>
  </li>`;
}

/** What is said of an action; what nobody had can only have been taken out of the line. */
function whatOf(action, { waited_seconds: waited }) {
  const words = text.profile.decision.actions;
  return action === "unassigned" && waited !== null ? words.withdrawn : words[action];
}

function Candidate({ candidate, chosen }) {
  const words = text.profile.decision;
  const { name, eligible, reason, load, capacity, rank } = candidate;
  const state = chosen ? words.chosen : words.eligible;
  return html`<li class="candidate">
    <${Icon} name=${eligible ? "check" : "close"} size=${14} />
    <span class="candidate-name" dir="auto">${name}</span>
    <span class="soft">${text.profile.assignee.load(load, capacity)}</span>
    <span class=${eligible ? "candidate-eligible" : "soft"}>${eligible ? `${rank}. ${state}` : (words.obstacles[reason] ?? reason)}</span>
  </li>`;
}

function by({ actor, rule }) {
  const words = text.profile.decision;
  if (actor === null) return words.unasked;
  const name = actor.name ?? text.authors[actor.kind];
  return AUTOMATIC.has(rule) ? words.asked(name) : words.by(name);
}

function waitWords({ waited_seconds: waited, estimated_wait_seconds: estimate }) {
  const words = text.profile.decision;
  if (waited === null) return estimate === null ? null : words.estimated(duration(estimate));
  return estimate === null ? words.waited(duration(waited)) : words.waitedEstimated(duration(waited), duration(estimate));
}

function orderWords({ ordering, seed }) {
  const words = text.profile.decision;
  const told = [
    ordering.length > 0 && words.order(ordering.map((key) => words.keys[key] ?? key).join(", ")),
    seed !== null && words.seed(seed),
  ];
  return told.filter(Boolean).join(" ");
}
