/** What was said about a ticket, oldest first, and a word more. */

import { useMemo, useRef } from "preact/hooks";
import { Button } from "../../components/button.js";
import { EndOfList } from "../../components/end_of_list.js";
import { TextArea } from "../../components/field.js";
import { Time } from "../../components/time.js";
import { Words } from "../../components/words.js";
import { get, post } from "../../core/api.js";
import { useForm } from "../../core/form.js";
import { on } from "../../core/stream.js";
import { html } from "../../html.js";
import { LiveList } from "../../store/live_list.js";
import { newestFirst } from "../../store/order.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";

const PAGE = 50;

export function Comments({ ticket, drafts }) {
  const words = text.profile.ticket;
  const path = `/v1/tickets/${ticket.id}/comments`;
  const comments = useComments(path, ticket.id);
  const items = comments.items.value;
  return html`<section class="comments">
    <h4>${words.comments}</h4>
    ${comments.loaded.value && comments.done.value && items.length === 0 && html`<p class="soft">${words.noComments}</p>`}
    <ol class="comment-list" aria-live="polite">
      ${items.map(
        (comment) => html`<li key=${comment.id} class="comment">
          <p class="note-meta"><strong dir="auto">${comment.author.name ?? text.authors[comment.author.kind]}</strong> <${Time} at=${comment.created_at} /></p>
          <p class="note-text"><${Words}>${comment.text}<//></p>
        </li>`,
      )}
    </ol>
    <${EndOfList} pages=${comments} />
    <${NewComment} ...${{ path, comments, drafts }} />
  </section>`;
}

function useComments(path, ticketId) {
  const list = useMemo(
    () =>
      new LiveList({
        fetchPage: (cursor) => get(path, { cursor, limit: PAGE }),
        order: (one, other) => newestFirst(other, one),
        listen: (told) => [on("ticket.commented", (comment) => comment.ticket_id === ticketId && told.put(comment))],
      }),
    [path, ticketId],
  );
  useLive(list);
  return list;
}

function NewComment({ path, comments, drafts }) {
  const words = text.profile.ticket;
  const input = useRef(null);
  const add = async (_, values, key) => {
    comments.put(await post(path, values, { key }));
    input.current?.focus();
  };
  const form = useForm({ text: "" }, add, { drafts, name: path });
  return html`<form class="note-form" onSubmit=${form.submit}>
    <${TextArea} label=${words.comment} rows=${2} inputRef=${input} ...${form.sole("text")} />
    <div class="row-form-actions">
      <${Button} small kind="primary" type="submit" busy=${form.busy} disabled=${form.values.text.trim() === ""}>${words.addComment}<//>
    </div>
  </form>`;
}
