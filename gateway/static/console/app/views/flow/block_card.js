/** A block of the flow to be read: what it is called, says and does, and where it leads; and its form when it is open. */

import { Button, IconButton } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { Popover } from "../../components/menu.js";
import { to } from "../../core/route.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { BlockForm } from "./block_form.js";
import { blockId } from "./desk.js";
import { isObject, mainWay, ways } from "./document.js";
import { memo } from "./memo.js";
import { doneBy, endWords, saidBy, wayWords } from "./words.js";

const ICONS = {
  message: "chats",
  question: "edit",
  buttons: "menu",
  condition: "admin",
  set: "check",
  ticket: "ticket",
  delay: "clock",
  assign: "person",
  goto: "forward",
  close: "archive",
};

/**
 * `problems`: the block's, with their places within it; `names`: of all blocks, in order. All that changes comes as a property, so that a
 * keystroke in one block leaves the others as they are.
 */
export const BlockCard = memo(({ desk, name, block, names, problems, isStart, reached, here, editing }) => {
  const words = text.flow.block;
  const state = `${problems.length ? "flow-block-wrong" : ""} ${here ? "flow-block-here" : ""} ${editing ? "flow-block-open" : ""}`;
  return html`<article class=${`flow-block ${state}`} id=${blockId(name)} tabindex="-1" aria-label=${name}>
    <header class="flow-block-head">
      <${TypePill} block=${block} />
      <h3 class="flow-block-name">${name}</h3>
      ${isStart && html`<span class="pill pill-good">${words.start}</span>`}
      ${!reached && html`<span class="pill pill-warn">${words.unreached}</span>`}
      ${here && html`<span class="pill pill-accent"><${Icon} name="play" size=${12} />${words.here}</span>`}
      <div class="flow-block-tools">
        <${Button} small kind=${editing ? "primary" : "plain"} icon=${editing ? "check" : "edit"} aria-expanded=${String(editing)}
          onClick=${() => desk.edit(editing ? null : name)}>
          ${editing ? words.done : words.edit}<span class="visually-hidden"> ${name}</span>
        <//>
        <${More} desk=${desk} name=${name} block=${block} isStart=${isStart} isOnly=${names.length === 1} />
      </div>
    </header>
    ${
      editing
        ? html`<${BlockForm} form=${formOf(desk, name, block, names, problems)} />`
        : html`
          <${BlockWords} block=${block} />
          <${Ways} block=${block} link=${(target) => names.includes(target) && linkTo(desk, target)} />
          <${Problems} problems=${problems} />
        `
    }
  </article>`;
});

function formOf(desk, name, block, names, problems) {
  return {
    name,
    block,
    problems,
    names,
    edit: (path, value, part) => desk.changeValue(name, path, value, part),
    replace: (changed, key = "whole") => desk.changeBlock(name, changed, key),
    onNew: (spot) => {
      desk.dialog.value = { kind: "add", spot };
    },
  };
}

function linkTo(desk, target) {
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    desk.show(target);
  };
  return { href: to(["admin", "channels", desk.editor.channelId, "flow"], { block: target }), onClick: follow };
}

function More({ desk, name, block, isStart, isOnly }) {
  const words = text.flow.block;
  const way = mainWay(block);
  const open = (kind, more) => {
    desk.dialog.value = { kind, name, ...more };
  };
  const actions = [
    way !== null && [words.addAfter, () => open("add", { spot: { from: name, path: way } })],
    [words.duplicate, () => desk.duplicate(name)],
    [words.rename, () => open("rename")],
    way !== null && !isOnly && [words.move, () => open("move")],
    !isStart && [words.makeStart, () => desk.makeStart(name)],
    [words.delete, () => desk.delete(name)],
  ].filter(Boolean);
  const button = (attributes) => html`<${IconButton} icon="down" label=${words.actions(name)} ...${attributes} />`;
  return html`<${Popover} label=${words.actions(name)} button=${button}>
    ${(close) =>
      html`<ul class="flow-menu">
        ${actions.map(
          ([label, act]) => html`<li key=${label}>
            <${Button} kind="quiet" small onClick=${() => {
              close();
              act();
            }}>${label}<//>
          </li>`,
        )}
      </ul>`}
  <//>`;
}

function Problems({ problems }) {
  if (problems.length === 0) return null;
  return html`<ul class="flow-block-problems">
    ${problems.map(({ place, message }, index) => html`<li key=${index}>${place && html`<code>${place}</code>: `}${message}</li>`)}
  </ul>`;
}

/** The block's type, or that it has none. */
export function TypePill({ block }) {
  const type = isObject(block) && typeof block.type === "string" ? block.type : "?";
  const known = Object.hasOwn(ICONS, type);
  return html`<span class="pill"><${Icon} name=${known ? ICONS[type] : "warning"} size=${12} />${known ? text.flow.types[type] : type}</span>`;
}

/** What it says and does. */
export function BlockWords({ block }) {
  if (!isObject(block)) return html`<p class="soft">${text.flow.block.unreadable}</p>`;
  const said = saidBy(block);
  return html`
    ${said && html`<p class="flow-said" dir="auto">${said}</p>`}
    ${doneBy(block).map((sentence) => html`<p key=${sentence} class="flow-deed" dir="auto">${sentence}</p>`)}
  `;
}

/** Where it leads. `link(target)`: the attributes of a link to a block, `{}` where none is wanted, nothing when there is no such block. */
export function Ways({ block, link }) {
  // A way that was never set and leads nowhere says nothing.
  const shown = ways(block).filter(
    ({ path, target }) => target !== null || path[0] !== "otherwise" || Number.isInteger(block.retries),
  );
  if (shown.length === 0) return null;
  return html`<ul class="flow-ways" aria-label=${text.flow.block.leads}>
    ${shown.map(
      ({ path, target }) => html`<li key=${path.join(".")}>
        <bdi>${wayWords(block, path)}</bdi> <span class="soft">→</span>${" "}
        ${target === null && html`<span class="soft">${endWords(path)}</span>`}
        ${target !== null && html`<${Target} name=${target} attributes=${link(target)} />`}
      </li>`,
    )}
  </ul>`;
}

function Target({ name, attributes }) {
  if (!attributes) return html`<span class="flow-missing">${text.flow.ways.missing(name)}</span>`;
  return attributes.href ? html`<a ...${attributes}>${name}</a>` : html`<strong>${name}</strong>`;
}
