/**
 * Conversations as events tell of them.
 *
 * A message implies its conversation's last message, numbers and unread count: no event of the conversation follows for those,
 * so they are applied here, by `seq`, whatever came first.
 */

import { get } from "../core/api.js";
import { backoff, pause } from "../core/pause.js";
import { Entities } from "./entities.js";

const PREVIEW = 120; // as the API shortens them, so that a list reads the same after a reload
const LEARNERS = 2; // at once, each followed by a pause: a busy morning must not use up the agent's own requests
const BETWEEN = 250; // milliseconds
const TAIL = 100; // messages; more never come while an answer of the API is on its way

/** Each as the API told it last, with the messages on top that came after that. */
class Conversations extends Entities {
  #tails = new Map();

  /** Keep it unless as new a version is known. Says whether it was kept. */
  put(conversation) {
    const known = this.peek(conversation.id);
    if (known !== undefined && known.version >= conversation.version) return false;
    const tail = this.#tail(conversation.id).filter((message) => message.seq > conversation.last_seq);
    this.#tails.set(conversation.id, tail);
    return super.put(tail.reduce(implied, conversation));
  }

  /** Put a message on top. Says whether more is to be known of the conversation: it is unknown, or messages are missing in between. */
  add(message) {
    const { conversation_id: id, seq } = message;
    const known = this.peek(id);
    const tail = this.#tail(id);
    const last = tail.at(-1)?.seq ?? known?.last_seq ?? 0;
    if (seq > last) {
      const brief = { seq, author: message.author, text: preview(message.text), created_at: message.created_at };
      this.#tails.set(id, [...tail, brief].slice(-TAIL));
      if (known !== undefined && seq > known.last_seq) super.put(implied(known, message));
    }
    return known === undefined || seq > known.last_seq + 1;
  }

  clear() {
    super.clear();
    this.#tails.clear();
    asked.clear();
    wanted.clear();
  }

  #tail(id) {
    return this.#tails.get(id) ?? [];
  }
}

const asked = new Map();
const listeners = new Set();
export const conversations = new Conversations();

/** Call `listener(conversation)` whenever one is new or has changed. Returns how to stop. */
export function onConversation(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keep what the API answered or an event told; what newer messages implied stays. */
export function putConversation(conversation) {
  if (conversations.put(conversation)) tell(conversation.id);
}

/**
 * A message was posted: what it implies for its conversation, which this answers. One that is unknown, or of which something was missed,
 * is fetched first; undefined where that can't be.
 */
export async function applyMessage(message) {
  const id = message.conversation_id;
  const before = conversations.peek(id);
  const isMore = conversations.add(message);
  if (conversations.peek(id) !== before) tell(id);
  if (isMore) await learn(id);
  return conversations.peek(id);
}

/** The conversation from the API, asked once at a time. Throws Problem. */
export function fetchConversation(id) {
  if (!asked.has(id)) {
    const answer = get(`/v1/conversations/${id}`)
      .then((conversation) => {
        if (asked.get(id) === answer) putConversation(conversation);
        return conversation;
      })
      .finally(() => asked.get(id) === answer && asked.delete(id));
    asked.set(id, answer);
  }
  return asked.get(id);
}

/** When something last happened in it: what lists are ordered by. */
export function lastActive(conversation) {
  return conversation.last_message?.created_at ?? conversation.created_at;
}

function tell(id) {
  const conversation = conversations.peek(id);
  for (const listener of listeners) listener(conversation);
}

const wanted = new Map(); // by id: who waits for it
let learners = 0;

/** Resolves when the conversation has been fetched, or can't be; few at a time. */
function learn(id) {
  const waiting = wanted.get(id) ?? [];
  wanted.set(id, waiting);
  const learnt = new Promise((resolve) => {
    waiting.push(resolve);
  });
  if (learners < LEARNERS) work();
  return learnt;
}

async function work() {
  learners += 1;
  let failures = 0;
  while (wanted.size > 0) {
    const [[id, waiting]] = wanted;
    wanted.delete(id);
    try {
      await fetchConversation(id);
      failures = 0;
    } catch (problem) {
      if (problem.passing) wanted.set(id, [...waiting.splice(0), ...(wanted.get(id) ?? [])]);
      failures += 1;
      await pause(backoff(failures, { shortest: 1_000, longest: 20_000, retryAfter: problem.retryAfter }));
    }
    for (const resolve of waiting) resolve();
    await pause(BETWEEN);
  }
  learners -= 1;
}

function implied(known, { seq, author, text, created_at }) {
  const changed = { ...known, last_seq: seq, last_message: { seq, author, preview: preview(text), created_at } };
  if (author.kind === "visitor") {
    changed.unread_count = known.unread_count + 1;
    changed.awaiting_answer_since = known.awaiting_answer_since ?? created_at;
  } else if (author.kind === "agent") {
    Object.assign(changed, { unread_count: 0, read_seq: seq, awaiting_answer_since: null });
  } else if (author.kind === "bot" && known.handler === "bot") {
    changed.awaiting_answer_since = null;
  }
  return changed;
}

function preview(text) {
  const letters = [...text];
  return letters.length <= PREVIEW
    ? text
    : `${letters
        .slice(0, PREVIEW - 1)
        .join("")
        .trimEnd()}…`;
}
