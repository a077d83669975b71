/** The addresses of the chats: a folder, what its list is filtered by, the conversation that is open. */

import { to } from "../../core/route.js";
import { ownId } from "../../core/session.js";

export const FOLDERS = ["unassigned", "mine", "all", "archived"];

/** `{folder, conversationId, query}` and the changes of it, as an address. */
export function addressOf(place, changes = {}) {
  return to(...placeOf(place, changes));
}

/** The same as a path and a query, for `go`. */
export function placeOf(place, changes = {}) {
  const { folder, conversationId, part, query } = { ...place, ...changes };
  const path = ["chats", folder, conversationId, conversationId && part].filter(Boolean);
  return [path, { channel: query.channel, agent: query.agent, q: query.q }];
}

/** A folder's address. A colleague's conversations are neither nobody's nor one's own: that filter goes. */
export function folderAddress({ query }, folder) {
  const owned = folder === "unassigned" || folder === "mine";
  return addressOf({ folder, query: owned ? { ...query, agent: undefined } : query });
}

/** The same list filtered by a channel, or by none if it was that one. */
export function channelAddress(place, id) {
  const { query } = place;
  return addressOf(place, { query: { ...query, channel: query.channel === id ? undefined : id } });
}

/** The same list filtered by an agent, or by none if it was that one; where it could hold nothing, all open ones. */
export function agentAddress(place, id) {
  const { folder, query } = place;
  if (query.agent === id) return addressOf(place, { query: { ...query, agent: undefined } });
  const barren = folder === "unassigned" || (folder === "mine" && id !== ownId.value);
  return addressOf(place, { folder: barren ? "all" : folder, query: { ...query, agent: id } });
}
