/** The chats: folders and colleagues, the contact list, the conversation, the profile; on small screens one at a time. */

import { useEffect, useRef } from "preact/hooks";
import { Empty } from "../../components/states.js";
import { go } from "../../core/route.js";
import { html } from "../../html.js";
import { conversations } from "../../store/conversations.js";
import { text } from "../../text/index.js";
import { ProfilePane } from "../profile/profile.js";
import { ThreadPane } from "../thread/thread.js";
import { FOLDERS, placeOf } from "./address.js";
import { ContactList } from "./contact_list.js";
import { Sidebar } from "./sidebar.js";
import { narrow, wide } from "./widths.js";

/** `path`: what follows `chats` in the address, `[folder, conversation id, "profile"]`. */
export function Chats({ path: [named, conversationId, shown], query }) {
  const part = shown === "profile" ? shown : undefined;
  const folder = FOLDERS.includes(named) ? named : "mine";
  const place = { folder, conversationId, part, query };
  const pane = conversationId === undefined ? "list" : (part ?? "thread");
  const frame = useRef(null);
  useEffect(() => {
    if (named !== folder) go(...placeOf({ folder, query }), { replace: true });
  }, [named]);
  useFocusOn(pane, frame);
  const show = (changes) => go(...placeOf(place, changes));
  return html`<div class=${`chats chats-at-${pane}`} ref=${frame}>
    <div class="chats-folders"><${Sidebar} place=${place} /></div>
    <section class="chats-pane chats-list" aria-labelledby="chats-list-title"><${ContactList} place=${place} /></section>
    <div class="chats-pane chats-thread" tabindex="-1">
      ${
        conversationId === undefined
          ? html`<${Empty} icon="chats" title=${text.chats.choose}>${text.chats.chooseHint}<//>`
          : html`<${ThreadPane} key=${conversationId} conversationId=${conversationId}
            onBack=${narrow.value ? () => show({ conversationId: undefined }) : undefined}
            onProfile=${wide.value ? undefined : () => show({ part: part ? undefined : "profile" })} />`
      }
    </div>
    ${
      conversationId !== undefined &&
      (wide.value || pane === "profile") &&
      html`<section class="chats-pane chats-profile" aria-label=${text.chats.profile} tabindex="-1">
      <${Profile} conversationId=${conversationId} onBack=${wide.value ? undefined : () => show({ part: undefined })} />
    </section>`
    }
  </div>`;
}

/** From when the conversation is known; whether there is such a one, its pane asks and says. */
function Profile({ conversationId, onBack }) {
  const contact = conversations.at(conversationId).value?.contact;
  if (contact === undefined) return null;
  return html`<${ProfilePane} conversationId=${conversationId} contactId=${contact.id} onBack=${onBack} />`;
}

/** On small screens the pane that comes gets the focus, which the one that goes would take with it. */
function useFocusOn(pane, frame) {
  const before = useRef(pane);
  useEffect(() => {
    if (before.current === pane) return;
    before.current = pane;
    const active = document.activeElement;
    const isLost = active === document.body || (frame.current.contains(active) && active.offsetParent === null);
    if (!narrow.peek() || !isLost) return;
    const target = pane === "list" ? ".chats-list .virtual-row [tabindex='0']" : `.chats-${pane}`;
    frame.current.querySelector(target)?.focus({ preventScroll: true });
  }, [pane, frame]);
}
