/**
 * What an agent has written and the server has not confirmed yet.
 *
 * A conversation's messages go out one after the other, also when its thread is no longer shown. Each is tried until the server takes
 * or refuses it, always under the same `client_message_id`: one that was stored though the answer got lost is not stored twice.
 */

import { effect, signal } from "@preact/signals";
import { post } from "../core/api.js";
import { newId } from "../core/ids.js";
import { Problem } from "../core/problem.js";
import { me } from "../core/session.js";
import { connection } from "../core/stream.js";
import { complain } from "../core/toasts.js";
import { text } from "../text/index.js";
import { applyMessage, conversations } from "./conversations.js";
import { keep, recall } from "./kept.js";

const SHORTEST = 1_000;
const LONGEST = 20_000;

const outboxes = new Map();
let owner = me.peek()?.id;

/** The conversation's outbox, the same one whenever it is asked for. */
export function outboxOf(conversationId) {
  if (!outboxes.has(conversationId)) outboxes.set(conversationId, new Outbox(conversationId));
  return outboxes.get(conversationId);
}

class Outbox {
  #listeners = new Set();
  #running = false;
  #stopped = false;
  #delay = SHORTEST;
  #underWay = null;
  #wake = () => {};
  #patient = false;

  constructor(conversationId) {
    this.id = conversationId;
    /**
     * `{client_message_id, text, created_at, state: "sending" | "waiting" | "failed", why, problem}`, in the order of writing.
     * `why` it failed: `refused`, `held` behind a refused one, or `left` when the page went away before the answer.
     */
    this.entries = signal((recall("outbox", conversationId) ?? []).map((entry) => ({ ...entry, ...LEFT })));
  }

  /** Call `listener(message)` with what was stored. Returns how to stop. */
  onStored(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(words) {
    const entry = { client_message_id: newId(), text: words, created_at: new Date().toISOString(), ...this.#fresh };
    this.#set([...this.entries.peek(), entry]);
    this.#run();
  }

  /** Try a failed one again. */
  retry(clientMessageId) {
    this.#change((entry) => (entry.client_message_id === clientMessageId ? this.#fresh : {}));
    this.#run();
  }

  /** Take a failed one away. */
  discard(clientMessageId) {
    this.#set(this.entries.peek().filter((entry) => entry.client_message_id !== clientMessageId));
  }

  /** What is stored is no longer pending, however that was learnt. */
  settle(messages) {
    const stored = new Set(messages.map((message) => message.client_message_id));
    const left = this.entries.peek().filter((entry) => !stored.has(entry.client_message_id));
    if (left.length === this.entries.peek().length) return;
    this.#set(left);
    if (this.#underWay !== null && stored.has(this.#underWay.id)) this.#underWay.resolve(null);
  }

  /** The server is back: don't wait for the timer, unless it named the time itself. */
  hurry() {
    this.#delay = SHORTEST;
    if (!this.#patient) this.#wake();
  }

  /** For good: somebody else is signed in. */
  stop() {
    this.#stopped = true;
    this.#wake();
  }

  /** How one begins: it waits with those that wait. */
  get #fresh() {
    const waiting = this.entries.peek().find((entry) => entry.state === "waiting");
    return waiting ? { state: "waiting", why: null, problem: waiting.problem } : SENDING;
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    let entry = this.#next();
    while (entry !== undefined && !this.#stopped) {
      this.#change((each) => (each.client_message_id === entry.client_message_id ? SENDING : {}));
      const problem = await this.#post(entry);
      if (problem === null) {
        this.#delay = SHORTEST;
      } else if (!(problem instanceof Problem) || problem.passing) {
        this.#change((each) => (each.state === "failed" ? {} : { state: "waiting", why: null, problem }));
        await this.#pause(problem);
      } else {
        this.#refuse(entry, problem);
      }
      entry = this.#next();
    }
    this.#running = false;
  }

  #next() {
    return this.entries.peek().find((entry) => entry.state !== "failed");
  }

  /** Null once it is stored, as the answer or the stream tells; else why not. */
  #post({ client_message_id: id, text: words }) {
    const { promise, resolve } = Promise.withResolvers();
    this.#underWay = { id, resolve };
    post(`/v1/conversations/${this.id}/messages`, { text: words, client_message_id: id }).then((message) => {
      this.#store(message);
      resolve(null);
    }, resolve);
    return promise;
  }

  #store(message) {
    if (this.#stopped) return;
    applyMessage(message);
    for (const listener of this.#listeners) listener(message);
    this.settle([message]);
  }

  #refuse(refused, problem) {
    this.#change((entry) => {
      if (entry.client_message_id === refused.client_message_id) return { state: "failed", why: "refused", problem };
      return entry.state === "failed" ? {} : { state: "failed", why: "held", problem: null };
    });
    if (this.#stopped || this.#listeners.size > 0) return;
    complain(text.thread.pending.elsewhere(conversations.peek(this.id)?.contact.name));
  }

  async #pause({ retryAfter, status }) {
    const milliseconds = Math.max(this.#delay * (0.75 + Math.random() / 2), retryAfter * 1000);
    this.#delay = Math.min(this.#delay * 2, LONGEST);
    this.#patient = status === 429;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#patient = false;
    this.#wake = () => {};
  }

  #change(changes) {
    this.#set(this.entries.peek().map((entry) => ({ ...entry, ...changes(entry) })));
  }

  #set(entries) {
    this.entries.value = entries;
    if (this.#stopped) return;
    const kept = entries.map(({ client_message_id, text: words, created_at }) => ({
      client_message_id,
      text: words,
      created_at,
    }));
    keep("outbox", this.id, kept.length ? kept : null);
  }
}

const SENDING = { state: "sending", why: null, problem: null };
const LEFT = { state: "failed", why: "left", problem: null };

effect(() => {
  const id = me.value?.id;
  if (id === owner) return;
  owner = id;
  for (const outbox of outboxes.values()) outbox.stop();
  outboxes.clear();
});

effect(() => {
  if (connection.value === "live") for (const outbox of outboxes.values()) outbox.hurry();
});
