/** Messages of one conversation without a gap between them, whatever came first and by whatever way. */

import { signal } from "@preact/signals";

// As the messaging service orders them: a message that was given up may turn out to have arrived.
const DELIVERIES = { queued: 0, failed: 1, sent: 2, delivered: 3, read: 4 };

export class MessageRun {
  /** What can't be attached yet, by seq. */
  #loose = new Map();
  #begun = false;
  #erased = false;

  /** Consecutive by seq, oldest first. */
  items = signal([]);

  get firstSeq() {
    return this.items.peek()[0]?.seq;
  }

  /** 0 without messages. */
  get lastSeq() {
    return this.items.peek().at(-1)?.seq ?? 0;
  }

  /** The page that all else is attached to. */
  begin(page) {
    this.#begun = true;
    this.items.value = this.#erased ? page.map(emptied) : page;
    const early = [...this.#loose.values()];
    this.#loose.clear();
    this.put(early);
  }

  /** Each to its place: what is known is replaced if this is further, the rest attached as soon as nothing is missing in between. */
  put(messages) {
    let run = this.items.peek();
    for (const told of messages) {
      const message = this.#erased ? emptied(told) : told;
      const at = run.length === 0 ? -1 : message.seq - run[0].seq;
      if (at < 0 || at >= run.length) this.#loose.set(message.seq, further(this.#loose.get(message.seq), message));
      else if (further(run[at], message) !== run[at]) run = run.with(at, message);
    }
    if (this.#begun) run = this.#attach(run);
    this.items.value = run;
  }

  /** Empty all texts, also those that are still on their way. */
  erase() {
    this.#erased = true;
    this.#loose.clear();
    this.items.value = this.items.peek().map(emptied);
  }

  #attach(run) {
    const before = [];
    const behind = [];
    const next = () => (run.at(-1)?.seq ?? 0) + behind.length + 1;
    while (this.#loose.has(next())) behind.push(this.#take(next()));
    const previous = () => (run[0]?.seq ?? 0) - before.length - 1;
    while (this.#loose.has(previous())) before.push(this.#take(previous()));
    return before.length + behind.length === 0 ? run : [...before.toReversed(), ...run, ...behind];
  }

  #take(seq) {
    const message = this.#loose.get(seq);
    this.#loose.delete(seq);
    return message;
  }
}

/** Of two tellings of a message the later one; the known one if they say the same. What was erased stays so. */
function further(known, told) {
  if (known === undefined) return told;
  if (known.text === "" || told.text === "") return known.text === "" ? known : told;
  const ahead = rank(told) - rank(known);
  return ahead > 0 || (ahead === 0 && told.delivery?.at > known.delivery?.at) ? told : known;
}

function emptied(message) {
  return { ...message, text: "", choices: null };
}

function rank({ delivery }) {
  return delivery === null ? -1 : DELIVERIES[delivery.state];
}
