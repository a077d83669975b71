/** The contact list: a folder's conversations, last active first, searched and filtered. */

import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useMemo } from "preact/hooks";
import { LinkButton } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { Empty, Failed, Outdated, Skeleton } from "../../components/states.js";
import { VirtualList } from "../../components/virtual_list.js";
import { go } from "../../core/route.js";
import { ownId } from "../../core/session.js";
import { html } from "../../html.js";
import { ConversationList } from "../../store/conversation_list.js";
import { epoch } from "../../store/live.js";
import { agentName, channelName } from "../../store/people.js";
import { text } from "../../text/index.js";
import { addressOf, agentAddress, channelAddress, placeOf } from "./address.js";
import { Row } from "./row.js";
import { SearchBox } from "./search_box.js";

const ROW_HEIGHT = 72;

export function ContactList({ place }) {
  const { folder, query } = place;
  const { list, failed } = useList(folder, query);
  const search = (q) => go(...placeOf(place, { query: { ...query, q } }), { replace: true });
  return html`<header class="list-head">
      <h2 id="chats-list-title">${text.chats.folderTitles[folder]}</h2>
      <${SearchBox} value=${query.q ?? ""} onSearch=${search} />
      <${Chips} place=${place} />
      <${Freshness} list=${list} failed=${failed} />
    </header>
    <p class="visually-hidden" role="status">
      ${query.q && list.loaded.value && text.chats.found(list.ids.value.length, list.done.value)}
    </p>
    <${Conversations} key=${`${folder} ${query.channel} ${query.agent} ${query.q}`} list=${list} place=${place} />`;
}

function Conversations({ list, place }) {
  const { folder, conversationId, part, query } = place;
  const { channel, agent, q } = query;
  const addressOfRow = useCallback(
    (id) => addressOf({ folder, conversationId: id, part, query: { channel, agent, q } }),
    [folder, part, channel, agent, q],
  );
  const ids = list.ids.value;
  const problem = list.problem.value;
  if (!list.loaded.value)
    return problem === null
      ? html`<${Skeleton} lines=${12} />`
      : html`<${Failed} problem=${problem} onRetry=${() => list.more()} />`;
  if (ids.length === 0 && list.done.value && problem === null) return html`<${Nothing} place=${place} />`;
  return html`<${VirtualList} ids=${ids} rowHeight=${ROW_HEIGHT} label=${text.chats.list} chosen=${conversationId} complete=${list.done.value}
    onNearEnd=${() => problem === null && list.more()} foot=${html`<${Foot} list=${list} />`}
    row=${(id, tabIndex) => html`<${Row} id=${id} href=${addressOfRow(id)} chosen=${id === conversationId} tabIndex=${tabIndex} />`} />`;
}

function Foot({ list }) {
  if (list.problem.value !== null) return html`<${Failed} problem=${list.problem.value} onRetry=${() => list.more()} />`;
  if (list.done.value) return html`<p class="list-end soft">${text.chats.end}</p>`;
  return html`<${Skeleton} lines=${2} />`;
}

/** Says above the rows, too, that they could not be read anew: their foot may be far away. */
function Freshness({ list, failed }) {
  const isCurrent = !list.loading.value && list.problem.value === null;
  useEffect(() => {
    if (isCurrent) failed.value = false;
  }, [isCurrent]);
  if (!failed.value || list.problem.value === null || !list.loaded.value) return null;
  return html`<${Outdated} onRetry=${() => list.more()} />`;
}

function Nothing({ place }) {
  const { folder, query } = place;
  if (query.q || query.channel || query.agent) {
    return html`<${Empty} icon="search" title=${text.chats.nothingFound}>
      <${LinkButton} href=${addressOf(place, { query: {} })}>${text.chats.removeFilters}<//>
    <//>`;
  }
  const { title, hint } = text.chats.empty[folder];
  return html`<${Empty} icon="chats" title=${title}>${hint}<//>`;
}

/** What the list is filtered by, each to be taken away. */
function Chips({ place }) {
  const { channel, agent } = place.query;
  if (!channel && !agent) return null;
  return html`<ul class="chips" aria-label=${text.chats.filters}>
    ${channel && html`<${Chip} icon="globe" name=${channelName(channel) ?? text.chats.unknownChannel} href=${channelAddress(place, channel)} />`}
    ${agent && html`<${Chip} icon="person" name=${agentName(agent) ?? text.chats.unknownAgent} href=${agentAddress(place, agent)} />`}
  </ul>`;
}

function Chip({ icon, name, href }) {
  return html`<li><a class="chip" href=${href} aria-label=${text.chats.removeFilter(name)} title=${text.chats.removeFilter(name)}>
    <${Icon} name=${icon} size=${14} /><span class="chip-name" dir="auto">${name}</span><${Icon} name="close" size=${14} />
  </a></li>`;
}

/** The conversations of a folder as filtered, made anew when one of these changes, read anew when something was missed; whether that failed. */
function useList(folder, { channel, agent, q }) {
  const viewer = ownId.value;
  const list = useMemo(
    () => new ConversationList({ folder, channel_id: channel, agent_id: agent, q }),
    [folder, channel, agent, q, viewer],
  );
  useEffect(() => () => list.close(), [list]);
  const turn = epoch.value;
  const failed = useSignal(false);
  useEffect(() => {
    list.reload().then(() => {
      failed.value = list.problem.peek() !== null;
    });
  }, [list, turn]);
  return { list, failed };
}
