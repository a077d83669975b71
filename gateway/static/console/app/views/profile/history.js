/** Every decision about who has the conversation, newest first. */

import { useMemo } from "preact/hooks";
import { EndOfList } from "../../components/end_of_list.js";
import { Empty } from "../../components/states.js";
import { get } from "../../core/api.js";
import { on } from "../../core/stream.js";
import { html } from "../../html.js";
import { LiveList } from "../../store/live_list.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";
import { Decision } from "./decision.js";

const PAGE = 20;

export function History({ conversationId }) {
  const words = text.profile.decision;
  const decisions = useDecisions(conversationId);
  const items = decisions.items.value;
  return html`<ol class="decision-list" aria-label=${words.list}>${items.map((decision) => html`<${Decision} key=${decision.id} decision=${decision} />`)}</ol>
    ${decisions.loaded.value && decisions.done.value && items.length === 0 && html`<${Empty} icon="history" title=${words.none}>${words.noneLead}<//>`}
    <${EndOfList} pages=${decisions} />`;
}

function useDecisions(conversationId) {
  const list = useMemo(() => {
    const hear = (told, { conversation_id, decision }) => {
      if (conversation_id !== conversationId || decision === null) return;
      const newest = told.items.peek()[0]?.seq ?? 0;
      told.put(decision);
      // One event may stand for two decisions, of which it tells the second.
      if (decision.seq > newest + 1) told.reload();
    };
    return new LiveList({
      fetchPage: (cursor) => get(`/v1/conversations/${conversationId}/assignments`, { cursor, limit: PAGE }),
      order: (one, other) => other.seq - one.seq,
      listen: (told) => [on("assignment.updated", (data) => hear(told, data))],
    });
  }, [conversationId]);
  useLive(list);
  return list;
}
