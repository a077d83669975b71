/** The folders, the channels with their visitors, and the colleagues with how they stand; the last two filter the list. */

import { computed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../components/icon.js";
import { Avatar, StatusDot } from "../../components/person.js";
import { Failed, Skeleton } from "../../components/states.js";
import { number } from "../../core/format.js";
import { ownId } from "../../core/session.js";
import { html } from "../../html.js";
import { agentOf, agents, channels } from "../../store/people.js";
import { text } from "../../text/index.js";
import { agentAddress, channelAddress, folderAddress, FOLDERS } from "./address.js";

const ICONS = { unassigned: "queue", mine: "person", all: "chats", archived: "archive" };
const KINDS = { web: "globe", messenger: "messenger" };

/** On small screens it is folded away behind a button that names the folder. */
export function Sidebar({ place }) {
  const [open, setOpen] = useState(false);
  const { folder, query } = place;
  useEffect(() => setOpen(false), [folder, query.channel, query.agent]);
  return html`<button type="button" class="folders-button" aria-expanded=${String(open)} aria-controls="folders" onClick=${() => setOpen(!open)}>
      <${Icon} name="menu" /><span>${text.chats.sidebar}</span><${Icon} name=${open ? "up" : "down"} size=${16} />
    </button>
    <div id="folders" class=${`folders ${open ? "folders-open" : ""}`}>
      <${Folders} place=${place} /><${Channels} place=${place} /><${Colleagues} place=${place} />
    </div>`;
}

function Folders({ place }) {
  return html`<nav class="folders-part" aria-label=${text.chats.foldersLabel}>
    ${FOLDERS.map(
      (
        name,
      ) => html`<a key=${name} class="folder-link" href=${folderAddress(place, name)} aria-current=${name === place.folder ? "page" : undefined}>
        <${Icon} name=${ICONS[name]} /><span class="folder-name">${text.chats.folders[name]}</span>
      </a>`,
    )}
  </nav>`;
}

function Channels({ place }) {
  return html`<nav class="folders-part" aria-labelledby="channels-title">
    <h2 class="folders-title" id="channels-title">${text.chats.channels}</h2>
    <${Known} collection=${channels} empty=${text.chats.noChannels}>
      ${() =>
        channels.items.value.map(
          ({ id, kind, name, visitor_count }) => html`<a key=${id} class="folder-link" href=${channelAddress(place, id)}
            aria-current=${place.query.channel === id ? "true" : undefined}>
            <${Icon} name=${KINDS[kind] ?? "globe"} /><span class="visually-hidden">${text.kinds[kind]}</span>
            <span class="folder-name" dir="auto">${name}</span>
            <${Count} shown=${number(visitor_count)} said=${text.counts.visitors(visitor_count, number(visitor_count))} />
          </a>`,
        )}
    <//>
  </nav>`;
}

function Colleagues({ place }) {
  return html`<nav class="folders-part" aria-labelledby="colleagues-title">
    <h2 class="folders-title" id="colleagues-title">${text.chats.colleagues}</h2>
    <${Known} collection=${agents}>
      ${() => colleagues.value.split(" ").map((id) => html`<${Colleague} key=${id} id=${id} place=${place} />`)}
    <//>
  </nav>`;
}

/** Drawn anew by itself when how the agent stands changes. */
function Colleague({ id, place }) {
  const agent = agentOf(id);
  if (agent === undefined) return null;
  const { name, connected, active_conversations: load, capacity } = agent;
  return html`<a class=${`folder-link colleague ${connected ? "" : "colleague-away"}`} href=${agentAddress(place, id)}
    aria-current=${place.query.agent === id ? "true" : undefined}>
    <span class="colleague-face"><${Avatar} id=${id} name=${name} size="s" /><${StatusDot} agent=${agent} /></span>
    <span class="colleague-name"><bdi class="folder-name">${name}</bdi>${id === ownId.value && html` <span class="soft">(${text.chats.you})</span>`}</span>
    <${Count} shown=${`${load}/${capacity}`} said=${text.chats.load(load, capacity)} />
  </a>`;
}

/** The ids of those with an account, who is connected first: as one text, which stays the same while their order does. */
const colleagues = computed(() => {
  const active = agents.items.value.filter((agent) => agent.active);
  return [...active.filter(({ connected }) => connected), ...active.filter(({ connected }) => !connected)]
    .map(({ id }) => id)
    .join(" ");
});

/** A number at the end of a line, and what it means. */
function Count({ shown, said }) {
  return html`<span class="folder-count" title=${said}><span aria-hidden="true">${shown}</span><span class="visually-hidden">${said}</span></span>`;
}

function Known({ collection, empty, children }) {
  if (!collection.loaded.value) {
    if (collection.problem.value !== null)
      return html`<${Failed} problem=${collection.problem.value} onRetry=${() => collection.load()} />`;
    return html`<${Skeleton} lines=${3} />`;
  }
  if (empty && collection.items.value.length === 0) return html`<p class="folders-none soft">${empty}</p>`;
  return children();
}
