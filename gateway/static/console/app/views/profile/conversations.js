/** The contact's conversations, this one and the earlier ones, as links. */

import { useMemo } from "preact/hooks";
import { EndOfList } from "../../components/end_of_list.js";
import { Time } from "../../components/time.js";
import { get } from "../../core/api.js";
import { to } from "../../core/route.js";
import { html } from "../../html.js";
import { onConversation, putConversation } from "../../store/conversations.js";
import { LiveList } from "../../store/live_list.js";
import { newestFirst } from "../../store/order.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";

const PAGE = 20;

export function Conversations({ contactId, conversationId }) {
  const words = text.profile.conversations;
  const open = useConversations(contactId, "open", "all");
  const archived = useConversations(contactId, "archived", "archived");
  const items = [...open.items.value, ...archived.items.value].sort(newestFirst);
  const others = items.filter(({ id }) => id !== conversationId);
  return html`<section class="profile-section">
    <h3>${words.title}</h3>
    ${
      others.length === 0 && archived.loaded.value && open.loaded.value
        ? html`<p class="soft">${words.none}</p>`
        : html`<ul class="conversation-links">${items.map((item) => html`<${Link} key=${item.id} conversation=${item} shown=${item.id === conversationId} />`)}</ul>`
    }
    ${open.problem.value !== null && html`<${EndOfList} pages=${open} />`}
    <${EndOfList} pages=${archived} />
  </section>`;
}

function Link({ conversation, shown }) {
  const words = text.profile.conversations;
  const { id, status, last_message: last, created_at } = conversation;
  return html`<li>
    <a class="conversation-link" href=${to(["chats", status === "open" ? "all" : "archived", id])} aria-current=${shown ? "true" : undefined}>
      <span class="conversation-link-head">
        <span class=${`pill ${status === "open" ? "pill-good" : ""}`}>${words[status]}</span>
        <span class="soft"><${Time} at=${last?.created_at ?? created_at} /></span>
        ${shown && html`<span class="soft">(${words.current})</span>`}
      </span>
      <span class="conversation-link-text" dir="auto">${last?.preview || words.noMessages}</span>
    </a>
  </li>`;
}

function useConversations(contactId, status, folder) {
  const list = useMemo(
    () =>
      new LiveList({
        fetchPage: async (cursor) => {
          const page = await get("/v1/conversations", { folder, contact_id: contactId, cursor, limit: PAGE });
          for (const item of page.items) putConversation(item);
          return page;
        },
        order: newestFirst,
        holds: (item) => item.status === status,
        listen: (told) => [onConversation((conversation) => conversation.contact.id === contactId && told.put(conversation))],
      }),
    [contactId, status, folder],
  );
  useLive(list);
  return list;
}
