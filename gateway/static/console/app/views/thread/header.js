/** The top of a thread: with whom, where, how it stands, and what can be done. */

import { useEffect, useRef } from "preact/hooks";
import { Button, IconButton } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { Avatar } from "../../components/person.js";
import { duration, moment } from "../../core/format.js";
import { ownId } from "../../core/session.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { narrow } from "../chats/widths.js";

/** `isErased`: nobody can open it again. */
export function ThreadHeader({ conversation, actions, onBack, onProfile, isErased }) {
  const { contact, channel } = conversation;
  const words = text.thread;
  return html`<header class="thread-head">
    <${Back} onBack=${onBack} />
    <${Avatar} id=${contact.id} name=${contact.name} />
    <div class="thread-who">
      <${Title}>${contact.name}<//>
      <div class="thread-where">
        <p class="thread-channel" title=${`${channel.name} · ${text.kinds[channel.kind]}`}>
          <${Icon} name=${channel.kind === "messenger" ? "messenger" : "globe"} size=${14} />
          <span dir="auto">${channel.name}</span>
          <span class="visually-hidden">${text.kinds[channel.kind]}</span>
        </p>
        <${Status} conversation=${conversation} />
      </div>
    </div>
    <div class="thread-actions" role="group" aria-label=${words.actions.label}>
      <${ActionButtons} ...${{ conversation, actions, isErased }} />
      ${onProfile && html`<${IconButton} icon="person" label=${words.profile} onClick=${onProfile} />`}
    </div>
  </header>`;
}

/** Leads back to the list, where both don't fit beside each other. */
export function Back({ onBack }) {
  return onBack ? html`<${IconButton} icon="back" label=${text.thread.back} onClick=${onBack} />` : null;
}

// Where the thread takes the list's place, the focus goes with it; elsewhere the composer has it.
function Title({ children }) {
  const element = useRef(null);
  useEffect(() => {
    if (narrow.peek()) element.current.focus({ preventScroll: true });
  }, []);
  return html`<h2 class="thread-name" dir="auto" tabindex="-1" ref=${element} title=${children}>${children}</h2>`;
}

function Status({ conversation }) {
  const { tone, words, title } = standing(conversation);
  return html`<p class=${`pill thread-status ${tone}`} title=${title} role="status"><span dir="auto">${words}</span></p>`;
}

function standing(conversation) {
  const words = text.thread.status;
  const { status, handler, assignee } = conversation;
  if (status === "archived") return { tone: "", words: words.archived, title: archivedBy(conversation) };
  if (assignee?.id === ownId.value) return { tone: "pill-good", words: words.yours };
  if (assignee) return { tone: "pill-accent", words: words.assigned(assignee.name) };
  if (handler === "queue") return waiting(conversation.queue);
  return { tone: "", words: handler === "bot" ? words.bot : words.nobody };
}

function archivedBy({ archived_by: by, archived_at: at }) {
  return by ? text.thread.status.archivedBy(by.name ?? text.authors[by.kind], moment(at)) : undefined;
}

function waiting(queue) {
  const words = text.thread.status;
  const seconds = queue?.estimated_wait_seconds ?? null;
  return {
    tone: "pill-warn",
    words: queue?.position ? words.place(queue.position) : words.queue,
    title: seconds === null ? undefined : words.wait(duration(seconds)),
  };
}

function ActionButtons({ conversation, actions, isErased }) {
  const words = text.thread.actions;
  const busy = actions.busy.value;
  const isOpen = conversation.status === "open";
  const button = (
    name,
    icon,
    act,
  ) => html`<${Button} key=${name} small icon=${icon} title=${words[name]} aria-label=${words[name]}
    busy=${busy === name} disabled=${busy !== null} onClick=${(event) => act(event.currentTarget)}>
    <span class="thread-action-words">${words[name]}</span>
  <//>`;
  return html`
    ${
      isOpen &&
      conversation.assignee?.id !== ownId.value &&
      button(
        "take",
        "person",
        following(() => actions.take()),
      )
    }
    ${
      isOpen &&
      conversation.handler !== "bot" &&
      button(
        "toBot",
        "bot",
        following(() => actions.returnToBot()),
      )
    }
    ${
      isOpen &&
      button(
        "archive",
        "archive",
        following(() => actions.archive()),
      )
    }
    ${
      !isOpen &&
      !isErased &&
      button(
        "reopen",
        "history",
        following(() => actions.reopen()),
      )
    }
  `;
}

/** The button goes away with what it did: whoever was on it is led to where one goes on. */
function following(act) {
  return async (button) => {
    const pane = button.closest(".thread");
    const wasOn = document.activeElement === button;
    if (!(await act()) || !wasOn) return;
    await new Promise(requestAnimationFrame);
    if (document.activeElement !== document.body && document.activeElement !== button) return;
    (
      pane.querySelector(".thread-composer textarea") ??
      pane.querySelector(".thread-composer button") ??
      pane.querySelector(".thread-name")
    ).focus();
  };
}
