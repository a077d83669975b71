/**
 * A channel's flow while it is being written: the draft, what is saved, and the way back.
 *
 * What somebody else saves meanwhile is taken over while nothing was changed here, and told otherwise.
 */

import { computed, effect, signal } from "@preact/signals";
import { get, put, remove } from "../../core/api.js";
import { channels } from "../../store/people.js";
import { blockAt } from "./document.js";

const STEPS = 200;
const NONE = { flow: null, version: null, created_at: null, created_by: null };

export class FlowEditor {
  #past = signal([]);
  #future = signal([]);
  #merging = null;
  #closed = false;
  #stop = () => {};

  constructor(channelId) {
    this.channelId = channelId;
    this.path = `/v1/channels/${channelId}/flow`;
    /** `{flow, version, created_at, created_by}` as the API has it; undefined until loaded. */
    this.base = signal(undefined);
    /** The draft; null for no flow. */
    this.flow = signal(null);
    /** What somebody else saved since, in the form of `base`; null when nobody did. */
    this.theirs = signal(null);
    /** `{text, message}` of the JSON view while it can't be read. */
    this.broken = signal(null);
    this.problem = signal(null);
    this.saving = signal(false);
    this.dirty = computed(() => this.broken.value !== null || !same(this.flow.value, this.base.value?.flow ?? null));
    this.canUndo = computed(() => this.#past.value.length > 0);
    this.canRedo = computed(() => this.#future.value.length > 0);
  }

  /** Load, and follow what others save until `close`. */
  async open() {
    this.problem.value = null;
    try {
      const found = await get(this.path);
      this.base.value = found;
      this.flow.value = found.flow;
    } catch (problem) {
      this.problem.value = problem;
      return;
    }
    if (this.#closed) return;
    this.#stop = effect(() => {
      const channel = channels.get(this.channelId);
      if (channel === undefined || this.saving.value) return;
      if (channel.flow_version !== this.base.value.version && channel.flow_version !== this.theirs.value?.version) this.#look();
    });
  }

  close() {
    this.#closed = true;
    this.#stop();
  }

  /** Another draft, which can be undone; changes of one `key` after the other are undone together. */
  change(flow, key = null) {
    if (key === null || key !== this.#merging) this.#past.value = [...this.#past.peek().slice(-STEPS), this.flow.peek()];
    this.#merging = key;
    this.#future.value = [];
    this.broken.value = null;
    this.flow.value = flow;
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  /** The block of a name in the draft. */
  block(name) {
    return blockAt(this.flow.value, name);
  }

  /** Put the draft over the version it was made from, or over `version` (0: none). Throws Problem. */
  async save(version = this.base.peek().version ?? 0) {
    const flow = this.flow.peek();
    this.saving.value = true;
    try {
      const channel = await put(this.path, flow, { expected_version: version });
      const stored = await get(this.path, { version: channel.flow_version }).catch(() => ({
        ...NONE,
        version: channel.flow_version,
      }));
      // The draft and not what came back: defaults that were filled in would look like changes of somebody else.
      this.base.value = { ...stored, flow };
      this.theirs.value = null;
      channels.put(channel);
    } finally {
      this.#merging = null;
      this.saving.value = false;
    }
  }

  /** Leave the channel without a flow; the draft can be brought back. Throws Problem. */
  async remove() {
    this.saving.value = true;
    try {
      const channel = await remove(this.path);
      this.change(null);
      this.base.value = NONE;
      this.theirs.value = null;
      channels.put(channel);
    } finally {
      this.saving.value = false;
    }
  }

  /** Take over what somebody else saved; the own draft can be brought back. */
  takeTheirs() {
    const theirs = this.theirs.peek();
    if (theirs === null) return;
    this.change(theirs.flow);
    this.base.value = theirs;
    this.theirs.value = null;
  }

  /** What is saved now, whoever saved it. Throws Problem. */
  async findTheirs() {
    const found = await get(this.path);
    if (found.version === this.base.peek().version) {
      this.theirs.value = null;
    } else {
      this.theirs.value = found;
      if (!this.dirty.peek()) this.takeTheirs();
    }
    return found;
  }

  #look() {
    // Not found out now, it is when the flow is saved.
    this.findTheirs().catch(() => {});
  }

  #step(from, onto) {
    const steps = from.peek();
    if (steps.length === 0) return;
    onto.value = [...onto.peek(), this.flow.peek()];
    from.value = steps.slice(0, -1);
    this.#merging = null;
    this.broken.value = null;
    this.flow.value = steps.at(-1);
  }
}

function same(one, other) {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
