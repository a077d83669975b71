/** Where an agent writes, or why nothing can be written. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { number } from "../../core/format.js";
import { ownId } from "../../core/session.js";
import { html } from "../../html.js";
import { keep, recall } from "../../store/kept.js";
import { text } from "../../text/index.js";
import { narrow } from "../chats/widths.js";
import { OwnTyping } from "./own_typing.js";

const LONGEST = 10_000; // Unicode characters, as the API counts
const NEAR = 1_000;

/** `contact` may be unknown yet. */
export function Composer({ thread, conversation, contact, isErased, actions }) {
  const words = text.thread.composer;
  const isOpening = useRef(true);
  useEffect(() => {
    isOpening.current = false;
  }, []);
  if (isErased) return html`<${Notice} icon="trash">${words.erased}<//>`;
  if (conversation.status === "archived") return html`<${Archived} actions=${actions} />`;
  if (contact?.blocked) return html`<${Notice} icon="warning">${words.blocked(contact.name)}<//>`;
  return html`<${Writing} thread=${thread} conversation=${conversation} isOpening=${isOpening.current} />`;
}

function Notice({ icon, children }) {
  return html`<div class="thread-composer thread-composer-notice"><${Icon} name=${icon} /><p dir="auto">${children}</p></div>`;
}

function Archived({ actions }) {
  const words = text.thread;
  const busy = actions.busy.value;
  const isElsewhere = actions.isOpenElsewhere.value;
  return html`<div class="thread-composer thread-composer-notice">
    <${Icon} name="archive" />
    <p role="status">${isElsewhere ? words.composer.elsewhere : words.composer.archived}</p>
    ${
      isElsewhere
        ? html`<${Button} small busy=${busy === "goElsewhere"} onClick=${() => actions.goElsewhere()}>${words.composer.goThere}<//>`
        : html`<${Button} small busy=${busy === "reopen"} onClick=${() => actions.reopen()}>${words.actions.reopen}<//>`
    }
  </div>`;
}

function Writing({ thread, conversation, isOpening }) {
  const words = text.thread.composer;
  const { id } = thread;
  const area = useRef(null);
  const [draft, setDraft] = useState(() => recall("draft", id) ?? "");
  const typing = useMemo(() => new OwnTyping(id), [id]);
  useEffect(() => () => typing.stop(), [typing]);
  useEffect(() => {
    if (isOpening ? isFocusWelcome() : document.activeElement === document.body) area.current.focus({ preventScroll: true });
  }, []);

  const write = (value) => {
    setDraft(value);
    keep("draft", id, value === "" ? null : value);
    if (value.trim() === "") typing.stop();
    else typing.write();
  };
  const send = () => {
    const said = sayable(area.current.value);
    if (said === "" || lengthOf(said) > LONGEST) return;
    // At once, not at the next drawing: a key that repeats would send it twice.
    area.current.value = "";
    thread.outbox.send(said);
    write("");
    area.current.focus();
  };
  const onKeyDown = (event) => {
    // 229: Safari ends a composition before the Enter that ends it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  };

  const said = sayable(draft);
  const left = LONGEST - lengthOf(said);
  const hint = hintOf(conversation);
  return html`<form class="thread-composer" onSubmit=${(event) => {
    event.preventDefault();
    send();
  }}>
    ${hint && html`<p class="thread-composer-hint" id="thread-hint"><${Icon} name="warning" size=${14} /><span dir="auto">${hint}</span></p>`}
    <div class="thread-composer-line">
      <div class="thread-composer-grow" data-text=${draft}>
        <textarea class="input thread-composer-area" ref=${area} rows="1" dir="auto" enterkeyhint="send" aria-label=${words.label} placeholder=${words.placeholder}
          aria-describedby=${hint ? "thread-hint thread-keys" : "thread-keys"} aria-invalid=${left < 0 || undefined}
          value=${draft} onInput=${(event) => write(event.currentTarget.value)} onKeyDown=${onKeyDown} onBlur=${() => typing.stop()}></textarea>
      </div>
      <${Button} type="submit" kind="primary" icon="send" class="thread-composer-send" aria-label=${words.send} title=${words.send} disabled=${said === "" || left < 0} />
    </div>
    <p class="thread-composer-foot">
      <span id="thread-keys" class="thread-composer-keys">${words.keys}</span>
      <span class=${left < 0 ? "thread-composer-over" : ""} role="status">${leftWords(left)}</span>
    </p>
  </form>`;
}

/** What writing does besides, unless the conversation is one's own. */
function hintOf({ assignee, handler }) {
  const { hints } = text.thread.composer;
  if (assignee) return assignee.id === ownId.value ? null : hints.colleague(assignee.name);
  return hints[handler] ?? hints.nobody;
}

function leftWords(left) {
  if (left > NEAR) return null;
  return left < 0 ? text.thread.composer.over(number(-left)) : text.thread.composer.left(number(left));
}

function sayable(value) {
  return value.replaceAll("\0", "").trim();
}

function lengthOf(value) {
  // Two units may be one character.
  return value.length <= LONGEST - NEAR ? value.length : [...value].length;
}

/** Not where a keyboard would cover half of a small screen, and not away from something that is being filled in. */
function isFocusWelcome() {
  return !document.activeElement?.matches("input, textarea, select, dialog *") && !narrow.peek();
}
