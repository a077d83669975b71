/** The blocks in the order in which they are reached, then those that are not. */

import { Button } from "../../components/button.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { BlockCard, BlockWords, TypePill, Ways } from "./block_card.js";
import { byBlock } from "./check.js";
import { blockAt, hasBlock, order } from "./document.js";

const NONE = [];

export function BlockList({ desk }) {
  const words = text.flow.block;
  const { reached, unreached } = desk.order.value;
  const flow = desk.editor.flow.value;
  const names = desk.names.value;
  const problems = byBlock(desk.check.problems.value, names);
  const here = desk.trial.result.value?.block;
  const open = desk.editing.value;
  const card = (name, isReached) => html`<li key=${name}>
    <${BlockCard} desk=${desk} name=${name} block=${blockAt(flow, name)} names=${names} problems=${problems.get(name) ?? NONE}
      isStart=${flow.start === name} reached=${isReached} here=${here === name} editing=${open === name} />
  </li>`;
  const add = () => {
    desk.dialog.value = { kind: "add", spot: desk.openEnd() };
  };
  return html`<div class="flow-list">
    ${reached.length + unreached.length === 0 && html`<p class="soft">${words.none}</p>`}
    ${reached.length > 0 && html`<ol class="flow-blocks">${reached.map((name) => card(name, true))}</ol>`}
    ${
      unreached.length > 0 &&
      html`
      <p class="flow-unreached" id="flow-unreached">${words.unreachedTitle}</p>
      <ul class="flow-blocks" aria-labelledby="flow-unreached">${unreached.map((name) => card(name, false))}</ul>
    `
    }
    <div><${Button} icon="plus" onClick=${add}>${words.add}<//></div>
  </div>`;
}

/** A flow to be looked at alone. */
export function ReadOnlyFlow({ flow }) {
  const words = text.flow.block;
  const { reached, unreached } = order(flow);
  return html`<ol class="flow-blocks">
    ${[...reached, ...unreached].map((name) => {
      const block = blockAt(flow, name);
      const link = (target) => hasBlock(flow, target) && {};
      return html`<li key=${name} class="flow-block">
        <div class="flow-block-head">
          <${TypePill} block=${block} />
          <h3 class="flow-block-name">${name}</h3>
          ${flow.start === name && html`<span class="pill pill-good">${words.start}</span>`}
          ${unreached.includes(name) && html`<span class="pill pill-warn">${words.unreached}</span>`}
        </div>
        <${BlockWords} block=${block} />
        <${Ways} block=${block} link=${link} />
      </li>`;
    })}
  </ol>`;
}
