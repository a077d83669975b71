/** What agents note about the visitor, newest first. */

import { useMemo, useRef } from "preact/hooks";
import { Button } from "../../components/button.js";
import { EndOfList } from "../../components/end_of_list.js";
import { Checkbox, TextArea } from "../../components/field.js";
import { Empty } from "../../components/states.js";
import { get, post } from "../../core/api.js";
import { useForm } from "../../core/form.js";
import { on } from "../../core/stream.js";
import { html } from "../../html.js";
import { LiveList } from "../../store/live_list.js";
import { newestFirst } from "../../store/order.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";
import { Note } from "./note.js";

const PAGE = 50;
const EMPTY = { text: "", highlighted: false };

/** The contact's notes, live. */
export function useNotes(contactId) {
  const list = useMemo(() => {
    const own = (listener) => (data) => data.contact_id === contactId && listener(data);
    return new LiveList({
      fetchPage: (cursor) => get(`/v1/contacts/${contactId}/notes`, { cursor, limit: PAGE }),
      order: newestFirst,
      listen: (told) => [
        on(
          "note.created",
          own((note) => told.put(note)),
        ),
        on(
          "note.updated",
          own((note) => told.put(note)),
        ),
        on(
          "note.deleted",
          own(({ id }) => told.drop(id)),
        ),
      ],
    });
  }, [contactId]);
  useLive(list);
  return list;
}

export function Notes({ contact, notes, drafts }) {
  const words = text.profile.note;
  const items = notes.items.value;
  return html`<${NewNote} ...${{ contact, notes, drafts }} />
    <ul class="note-list">${items.map((note) => html`<${Note} key=${note.id} note=${note} notes=${notes} />`)}</ul>
    ${notes.loaded.value && notes.done.value && items.length === 0 && html`<${Empty} icon="note" title=${words.none}>${words.noneLead}<//>`}
    <${EndOfList} pages=${notes} />`;
}

function NewNote({ contact, notes, drafts }) {
  const words = text.profile.note;
  const input = useRef(null);
  const add = async (_, values, key) => {
    notes.put(await post(`/v1/contacts/${contact.id}/notes`, values, { key }));
    input.current?.focus();
  };
  const form = useForm(EMPTY, add, { drafts, name: "note" });
  const { text: said, highlighted } = form.values;
  return html`<form class="note-form" onSubmit=${form.submit}>
    <${TextArea} label=${words.new} placeholder=${words.placeholder} inputRef=${input} ...${form.sole("text")} />
    <div class="note-form-foot">
      <${Checkbox} label=${words.highlight} checked=${highlighted} onInput=${(value) => form.set("highlighted", value)} />
      <${Button} small kind="primary" type="submit" busy=${form.busy} disabled=${said.trim() === ""}>${words.add}<//>
    </div>
  </form>`;
}
