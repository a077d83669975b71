/** One conversation as it is looked at: its messages without gaps, who is writing, what goes out. */

import { computed, signal } from "@preact/signals";
import { get } from "../core/api.js";
import { connection, on } from "../core/stream.js";
import { conversations, fetchConversation } from "./conversations.js";
import { MessageRun } from "./message_run.js";
import { outboxOf } from "./outbox.js";
import { Typists } from "./typists.js";

const PAGE = 50;
const CHUNK = 200; // as many as the API gives at once
const AGAIN = 3_000;
const FINAL = new Set([401, 403, 404]);

export class Thread {
  #run = new MessageRun();
  #typists = new Typists();
  #stops = [];
  #closed = false;
  #turn = 0;
  #heard = 0;
  #outdated = false;
  #early = false;
  #catchingUp = false;
  #wake = () => {};

  constructor(conversationId) {
    this.id = conversationId;
    this.outbox = outboxOf(conversationId);
    this.messages = this.#run.items;
    this.typing = this.#typists.authors;
    this.hasOlder = computed(() => (this.messages.value[0]?.seq ?? 1) > 1);
    this.loaded = signal(false);
    this.problem = signal(null);
    this.loadingOlder = signal(false);
    this.olderProblem = signal(null);
    /** Whether messages that were heard of can't be fetched at the moment. */
    this.behind = signal(false);
  }

  /** Listen and load. */
  open() {
    this.#closed = false;
    const own = (listener) => (data) => data.conversation_id === this.id && listener(data);
    this.#stops = [
      on(
        "message.created",
        own((message) => this.accept(message)),
      ),
      on(
        "message.updated",
        own((message) => this.#run.put([message])),
      ),
      on(
        "conversation.typing",
        own((signalled) => this.#typists.hear(signalled)),
      ),
      // The words go at once, before they are gone from the server.
      on("contact.deleted", ({ id }) => id === conversations.peek(this.id)?.contact.id && this.#run.erase()),
      on("reset", () => this.#begin()),
      this.outbox.onStored((message) => this.accept(message)),
    ];
    this.#begin();
  }

  /** It is looked at no longer; what goes out goes on. */
  close() {
    this.#closed = true;
    this.#turn += 1;
    for (const stop of this.#stops) stop();
    this.#typists.clear();
    this.#wake();
  }

  /** Load again what could not be loaded. */
  retry() {
    this.#begin();
  }

  /** Load the messages before the first one. */
  async older() {
    if (this.loadingOlder.peek() || !this.hasOlder.peek()) return;
    this.loadingOlder.value = true;
    this.olderProblem.value = null;
    try {
      this.#run.put(await this.#read({ before_seq: this.#run.firstSeq, limit: PAGE }));
    } catch (problem) {
      this.olderProblem.value = problem;
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** A message that was posted, by whatever way it is learnt. */
  accept(message) {
    this.#heard = Math.max(this.#heard, message.seq);
    this.#run.put([message]);
    this.outbox.settle([message]);
    this.#typists.silence(message.author);
    this.#catchUp();
  }

  /** Everything that is shown, from the API: at the beginning, and when the stream can't tell what was missed. */
  #begin() {
    // A stream's very first connection begins in the present: what happens between these answers and that is told by nobody.
    if (connection.peek() !== "live" && !this.#early) {
      this.#early = true;
      this.#stops.push(on("stream.ready", () => this.#beginAgain()));
    }
    this.problem.value = null;
    fetchConversation(this.id).catch((problem) => this.#fail(problem));
    if (this.loaded.peek()) {
      this.#outdated = true;
      this.#catchUp();
    } else {
      this.#load();
    }
  }

  #beginAgain() {
    if (!this.#early) return;
    this.#early = false;
    this.#begin();
  }

  async #load() {
    const turn = ++this.#turn;
    try {
      const page = await this.#read({ limit: PAGE });
      if (turn !== this.#turn) return;
      this.#run.begin(page);
      this.outbox.settle(page);
      this.loaded.value = true;
      this.#catchUp();
    } catch (problem) {
      if (turn === this.#turn) this.problem.value = problem;
    }
  }

  /** Fetch what is missing, until nothing is. */
  async #catchUp() {
    if (this.#catchingUp || !this.loaded.peek()) return;
    this.#catchingUp = true;
    try {
      while (!this.#closed && (this.#outdated || this.#run.lastSeq < this.#heard)) await this.#catchUpOnce();
    } catch (problem) {
      this.#fail(problem);
    } finally {
      this.#catchingUp = false;
    }
  }

  async #catchUpOnce() {
    try {
      await (this.#outdated ? this.#refresh() : this.#fill());
      this.behind.value = false;
    } catch (problem) {
      if (FINAL.has(problem.status)) throw problem;
      this.behind.value = true;
      await this.#pause();
    }
  }

  async #fill() {
    const found = await this.#read({ after_seq: this.#run.lastSeq, limit: CHUNK });
    this.#run.put(found);
    this.outbox.settle(found);
    if (found.length === 0) await this.#pause();
  }

  /** All that is loaded, and what came behind it, from the newest backwards. */
  async #refresh() {
    this.#outdated = false;
    const first = this.#run.firstSeq ?? 1;
    let before;
    try {
      do {
        const page = await this.#read({ before_seq: before, limit: before === undefined ? PAGE : CHUNK });
        this.#heard = Math.max(this.#heard, page.at(-1)?.seq ?? 0);
        this.#run.put(page.filter((message) => message.seq >= first));
        this.outbox.settle(page);
        before = page[0]?.seq ?? 0;
      } while (before > first && !this.#closed);
    } catch (problem) {
      this.#outdated = true;
      throw problem;
    }
  }

  async #read(query) {
    const { items } = await get(`/v1/conversations/${this.id}/messages`, query);
    return items;
  }

  #fail(problem) {
    const shows = this.loaded.peek() && conversations.peek(this.id) !== undefined;
    if (!this.#closed && (problem.status === 404 || !shows)) this.problem.value = problem;
  }

  /** A while, or until the stream is back. */
  #pause() {
    const stop = on("stream.ready", () => this.#wake());
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, AGAIN);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).finally(stop);
  }
}
