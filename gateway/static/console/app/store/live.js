/** What the event stream tells, brought to the stores; and what is loaded anew when it can't tell what was missed. */

import { signal } from "@preact/signals";
import { get } from "../core/api.js";
import { announce } from "../core/notify.js";
import { go } from "../core/route.js";
import { learnOwn, me } from "../core/session.js";
import { on, start, stop } from "../core/stream.js";
import { text } from "../text/index.js";
import { contacts, forgetContact, forgetErased, tellContact } from "./contacts.js";
import { applyMessage, conversations, putConversation } from "./conversations.js";
import { agents, channels, teams } from "./people.js";

/** Grows when everything that is shown has to be fetched anew: views read it among the inputs of what they load. */
export const epoch = signal(0);

const put = (collection) => (resource) => collection.put(resource);

const LISTENERS = {
  "agent.created": put(agents),
  "agent.updated": (agent) => {
    agents.put(agent);
    learnOwn(agent);
  },
  "team.created": put(teams),
  "team.updated": put(teams),
  "team.deleted": ({ id }) => teams.drop(id),
  "channel.created": put(channels),
  "channel.updated": put(channels),
  "channel.deleted": ({ id }) => channels.drop(id),
  "contact.created": tellContact,
  "contact.updated": tellContact,
  "contact.deleted": ({ id }) => forgetContact(id),
  "conversation.created": putConversation,
  "conversation.updated": putConversation,
  "conversation.assigned": putConversation,
  "conversation.archived": putConversation,
  "message.created": async (message) => announceMessage(message, await applyMessage(message)),
  reset: () => renew(),
  "stream.ready": () => {
    // What was loaded while the stream was on its way may be older than the moment at which it began.
    if (!ready) renew();
    ready = true;
  },
};
let ready = false;

for (const [name, listener] of Object.entries(LISTENERS)) on(name, listener);

/** Begin: the stream first, so that nothing falls between it and what is loaded. */
export function begin() {
  ready = false;
  start();
  load();
}

/** End, and forget all that was shown to whoever was signed in. */
export function end() {
  stop();
  for (const store of [agents, teams, channels, conversations, contacts]) store.clear();
  forgetErased();
}

function renew() {
  epoch.value += 1;
  load();
}

function load() {
  agents.load();
  teams.load();
  channels.load();
  get("/v1/agents/me").then(learnOwn, () => {});
}

/** Visitors' messages that are this agent's business: of the own conversations, and of those that nobody has and no bot answers. */
function announceMessage({ author, text: words, conversation_id }, conversation) {
  if (author.kind !== "visitor" || conversation === undefined) return;
  const { assignee, handler } = conversation;
  if (assignee === null ? handler === "bot" : assignee.id !== me.peek()?.id) return;
  announce({
    title: author.name ?? text.authors.visitor,
    body: words.slice(0, 200),
    tag: conversation_id,
    open: () => go(["chats", "all", conversation_id]),
  });
}
