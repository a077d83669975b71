/** Agents, teams and channels: who is there and where visitors come from. */

import { Collection } from "./collection.js";

const byName = (one, other) => one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1);

export const agents = new Collection("/v1/agents", byName);
export const teams = new Collection("/v1/teams", byName);
export const channels = new Collection("/v1/channels", byName);
