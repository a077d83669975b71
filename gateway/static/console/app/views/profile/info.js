/** What is known of the visitor, and what can be done with all of it. */

import { Words } from "../../components/words.js";
import { Time } from "../../components/time.js";
import { html } from "../../html.js";
import { text } from "../../text/index.js";
import { Actions } from "./actions.js";
import { Conversations } from "./conversations.js";
import { CustomFields } from "./custom_fields.js";
import { Personal } from "./personal.js";
import { PageVisits } from "./page_visits.js";
import { Visit } from "./visit.js";

export function Info({ contact, conversationId }) {
  return html`<${Personal} contact=${contact} />
    <${CustomFields} fields=${contact.fields} />
    <${Visit} contact=${contact} />
    <${PageVisits} url=${contact.url} />
    <${Conversations} contactId=${contact.id} conversationId=${conversationId} />
    <${HighlightedNotes} notes=${contact.highlighted_notes} />
    <${Actions} contact=${contact} />`;
}

function HighlightedNotes({ notes }) {
  if (notes.length === 0) return null;
  return html`<section class="profile-section">
    <h3>${text.profile.notesHere}</h3>
    <ul class="note-list">
      ${notes.map(
        (note) => html`<li key=${note.id} class="note note-highlighted">
          <p class="note-text"><${Words}>${note.text}<//></p>
          <p class="note-meta"><span dir="auto">${note.author.name}</span> · <${Time} at=${note.created_at} /></p>
        </li>`,
      )}
    </ul>
  </section>`;
}
