/** What is wrong with the draft: in a word, and as a list whose lines lead to the blocks. */

import { Icon } from "../../components/icon.js";
import { explain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { blockOf } from "./check.js";
import { PROBLEMS_ID } from "./desk.js";

export function CheckState({ desk }) {
  const words = text.flow;
  if (desk.editor.flow.value === null && desk.editor.broken.value === null) return null;
  return html`<span role="status">${stateOf(desk, words)}</span>`;
}

function stateOf({ check, editor }, words) {
  if (editor.broken.value !== null)
    return html`<span class="pill pill-bad"><${Icon} name="warning" size=${12} />${words.json.broken}</span>`;
  if (check.problem.value !== null)
    return html`<span class="pill pill-warn">${words.checkFailed(explain(check.problem.value))}</span>`;
  if (!check.current.value) return html`<span class="pill">${words.checking}</span>`;
  const count = check.problems.value.length;
  if (count > 0) return html`<span class="pill pill-bad"><${Icon} name="warning" size=${12} />${words.problems(count)}</span>`;
  return html`<span class="pill pill-good"><${Icon} name="check" size=${12} />${words.valid}</span>`;
}

export function ProblemList({ desk }) {
  const problems = desk.check.problems.value;
  if (problems.length === 0) return null;
  const names = desk.names.value;
  return html`<section class="flow-problems" id=${PROBLEMS_ID} tabindex="-1" aria-label=${text.flow.problemsTitle}>
    <h3>${text.flow.problemsTitle}</h3>
    <ul>
      ${problems.map(({ place, message }, index) => {
        const name = blockOf(place, names);
        return html`<li key=${index}>
          ${name === null ? html`<strong>${place || text.flow.general}</strong>` : html`<button type="button" class="flow-problem-link" onClick=${() => desk.show(name)}>${name}</button>`}
          <span>${message}${name !== null && place !== `blocks.${name}` && html` <code class="soft">${place.slice(`blocks.${name}.`.length)}</code>`}</span>
        </li>`;
      })}
    </ul>
  </section>`;
}
