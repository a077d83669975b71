/** What agents note about the visitor, newest first. */

import { useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { EndOfList } from "../../components/end_of_list.js";
import { Checkbox, TextArea } from "../../components/field.js";
import { Empty } from "../../components/states.js";
import { get, post } from "../../core/api.js";
import { on } from "../../core/stream.js";
import { explain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { LiveList, newestFirst } from "../../store/live_list.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";
import { Note } from "./note.js";

const PAGE = 50;
const DRAFT = "note";

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
  const [draft, setDraft] = useState(drafts.get(DRAFT) ?? { text: "", highlighted: false });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const input = useRef(null);
  const write = (changes) => {
    const next = { ...draft, ...changes };
    drafts.set(DRAFT, next);
    setDraft(next);
  };
  const add = async (event) => {
    event.preventDefault();
    if (busy || draft.text.trim() === "") return;
    setBusy(true);
    setProblem(null);
    try {
      notes.put(await post(`/v1/contacts/${contact.id}/notes`, draft, { once: true }));
      drafts.delete(DRAFT);
      setDraft({ text: "", highlighted: false });
      input.current.focus();
    } catch (failure) {
      setProblem(failure);
    } finally {
      setBusy(false);
    }
  };
  const errors = problem === null ? [] : (problem.errors.text ?? [explain(problem)]);
  return html`<form class="note-form" onSubmit=${add}>
    <${TextArea} label=${words.new} placeholder=${words.placeholder} value=${draft.text} errors=${errors} inputRef=${input} onInput=${(value) => write({ text: value })} />
    <div class="note-form-foot">
      <${Checkbox} label=${words.highlight} checked=${draft.highlighted} onInput=${(highlighted) => write({ highlighted })} />
      <${Button} small kind="primary" type="submit" busy=${busy} disabled=${draft.text.trim() === ""}>${words.add}<//>
    </div>
  </form>`;
}
