/** Agents, teams and channels: who is there and where visitors come from. */

import { computed } from "@preact/signals";
import { Collection } from "./collection.js";
import { compare } from "./order.js";

const byName = (one, other) => one.name.localeCompare(other.name) || compare(one.id, other.id);

export const agents = new Collection("/v1/agents", byName);
export const teams = new Collection("/v1/teams", byName);
export const channels = new Collection("/v1/channels", byName);

/** An agent, or their name alone, undefined while unknown: what reads it is drawn anew when it changes, not whenever another one does. */
export const agentOf = each((id) => agents.get(id));
export const agentName = each((id) => agentOf(id)?.name);
export const channelName = each((id) => channels.get(id)?.name);

function each(read) {
  const known = new Map();
  return (id) => {
    if (!known.has(id))
      known.set(
        id,
        computed(() => read(id)),
      );
    return known.get(id).value;
  };
}
