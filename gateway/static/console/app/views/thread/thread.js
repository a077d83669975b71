/** The conversation: with whom and how it stands, what was said, and where one writes. */

import { useEffect, useMemo } from "preact/hooks";
import { Empty, Failed, Skeleton } from "../../components/states.js";
import { html } from "../../html.js";
import { contacts, erased, fetchContact } from "../../store/contacts.js";
import { conversations } from "../../store/conversations.js";
import { Thread } from "../../store/thread.js";
import { text } from "../../text/index.js";
import { useActions } from "./actions.js";
import { Composer } from "./composer.js";
import { Back, ThreadHeader } from "./header.js";
import { Transcript } from "./transcript.js";

const ID = /^[\w-]{1,64}$/;

/** `onBack` leads to the list where both don't fit; `onProfile` shows or hides the profile. */
export function ThreadPane({ conversationId, onBack, onProfile }) {
  if (!ID.test(conversationId)) return html`<${Unknown} onBack=${onBack} />`;
  // Nothing of one conversation is left when another is shown.
  return html`<${Pane} key=${conversationId} ...${{ conversationId, onBack, onProfile }} />`;
}

function Pane({ conversationId, onBack, onProfile }) {
  const thread = useMemo(() => new Thread(conversationId), [conversationId]);
  useEffect(() => {
    thread.open();
    return () => thread.close();
  }, [thread]);
  const actions = useActions(conversationId);
  const conversation = conversations.at(conversationId).value;
  const { contact, isErased } = useContact(conversation?.contact.id);

  const problem = thread.problem.value;
  if (problem?.status === 404) return html`<${Unknown} onBack=${onBack} />`;
  if (conversation === undefined) {
    return html`<section class="thread">
      <header class="thread-head"><${Back} onBack=${onBack} /></header>
      ${problem ? html`<${Failed} problem=${problem} onRetry=${() => thread.retry()} />` : html`<${Skeleton} lines=${6} />`}
    </section>`;
  }
  return html`<section class="thread" aria-label=${conversation.contact.name}>
    <${ThreadHeader} ...${{ conversation, actions, onBack, onProfile, isErased }} />
    ${content()}
    <${Typing} thread=${thread} contactName=${conversation.contact.name} />
    <${Composer} ...${{ thread, conversation, contact, isErased, actions }} />
  </section>`;

  function content() {
    if (thread.loaded.value) return html`<${Transcript} thread=${thread} conversation=${conversation} />`;
    return html`<div class="thread-transcript">
      ${problem ? html`<${Failed} problem=${problem} onRetry=${() => thread.retry()} />` : html`<${Skeleton} lines=${6} />`}
    </div>`;
  }
}

function Unknown({ onBack }) {
  return html`<section class="thread">
    <header class="thread-head"><${Back} onBack=${onBack} /></header>
    <${Empty} icon="chats" title=${text.thread.unknown} />
  </section>`;
}

function Typing({ thread, contactName }) {
  const names = thread.typing.value.map(({ kind, name }) => (kind === "visitor" ? contactName : text.thread.author[kind](name)));
  return html`<p class="thread-typing" role="status" dir="auto">${names.length > 0 && text.thread.typing(names)}</p>`;
}

/** The contact as far as it is known, and whether it was erased. */
function useContact(id) {
  useEffect(() => {
    if (id !== undefined && contacts.peek(id) === undefined && !erased.peek().has(id)) fetchContact(id).catch(() => {});
  }, [id]);
  if (id === undefined) return { contact: undefined, isErased: false };
  return { contact: contacts.at(id).value, isErased: erased.value.has(id) };
}
