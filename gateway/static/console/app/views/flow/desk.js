/** The flow editor's working place: the draft with its check and its trial, what is open, and what can be done to blocks. */

import { computed, signal } from "@preact/signals";
import { complain, say } from "../../core/toasts.js";
import { text } from "../../text/index.js";
import { FlowCheck } from "./check.js";
import {
  freeName,
  insert,
  mainWay,
  move,
  order,
  removeBlock,
  rename,
  ways,
  withBlock,
  withStart,
  withValue,
} from "./document.js";
import { FlowEditor } from "./editor.js";
import { newBlock } from "./kinds.js";
import { FlowTrial } from "./trial.js";

export class FlowDesk {
  #closed = false;

  constructor(channelId) {
    this.editor = new FlowEditor(channelId);
    this.check = new FlowCheck(this.editor.path, this.editor.flow);
    this.trial = new FlowTrial(this.editor.path, this.editor.flow, this.check);
    /** `blocks`, `json`, or on narrow pages `trial`. */
    this.view = signal("blocks");
    /** The block whose form is open; null for none. */
    this.editing = signal(null);
    /** `{kind: "add" | "rename" | "move" | "versions" | "remove" | "conflict", …}`; null for none. */
    this.dialog = signal(null);
    this.order = computed(() => order(this.editor.flow.value));
    this.names = this.#computeNames();
  }

  async open() {
    await this.editor.open();
    if (this.#closed || this.editor.problem.peek() !== null) return;
    this.check.open();
    this.trial.open();
  }

  close() {
    this.#closed = true;
    this.editor.close();
    this.check.close();
    this.trial.close();
  }

  /** All in order; the same list as long as it holds the same names. */
  #computeNames() {
    let known = [];
    return computed(() => {
      const { reached, unreached } = this.order.value;
      const names = [...reached, ...unreached];
      if (names.length !== known.length || names.some((name, index) => name !== known[index])) known = names;
      return known;
    });
  }

  /** Bring a block into view, and the focus to it. */
  show(name) {
    this.view.value = "blocks";
    focusLater(blockId(name));
  }

  edit(name) {
    this.editing.value = name;
    if (name !== null) focusLater(blockId(name), "input, select, textarea");
  }

  /** A change within a block; `path` or a word names it, so that typing on is undone as one. */
  changeBlock(name, block, key) {
    this.editor.change(withBlock(this.editor.flow.peek(), name, block), `${name} ${key}`);
  }

  changeValue(name, path, value, part = "") {
    this.changeBlock(name, withValue(this.editor.block(name), path, value), `${path.join(".")} ${part}`);
  }

  /** `spot`: null, "start", or `{from, path}`. */
  add(name, type, spot) {
    const flow = this.editor.flow.peek();
    this.editor.change(insert(flow, name, newBlock(type), spot));
    this.show(name);
    this.edit(name);
  }

  duplicate(name) {
    const flow = this.editor.flow.peek();
    const copy = freeName(flow, name);
    const way = mainWay(this.editor.block(name));
    this.editor.change(insert(flow, copy, this.editor.block(name), way && { from: name, path: way }));
    this.edit(copy);
  }

  rename(name, wished) {
    this.editor.change(rename(this.editor.flow.peek(), name, wished));
    if (this.editing.peek() === name) this.editing.value = wished;
    this.show(wished);
  }

  move(name, spot) {
    this.editor.change(move(this.editor.flow.peek(), name, spot));
    this.show(name);
  }

  makeStart(name) {
    this.editor.change(withStart(this.editor.flow.peek(), name));
    this.show(name);
  }

  delete(name) {
    const names = this.names.peek();
    const neighbour = names[names.indexOf(name) + 1] ?? names[names.indexOf(name) - 1];
    this.editor.change(removeBlock(this.editor.flow.peek(), name));
    if (this.editing.peek() === name) this.editing.value = null;
    say(text.flow.block.deleted(name));
    if (neighbour !== undefined) this.show(neighbour);
  }

  /** The end of the flow: the first way, among the blocks in order, that leads nowhere yet. */
  openEnd() {
    for (const name of this.order.peek().reached) {
      const open = ways(this.editor.block(name)).find(
        ({ path, target }) => target === null && path[0] !== "unavailable" && path[0] !== "otherwise",
      );
      if (open !== undefined) return { from: name, path: open.path };
    }
    return null;
  }

  /** Save; what keeps it from being saved is shown where it belongs. `version`: the one to replace. */
  async save(version) {
    const flow = this.editor.flow.peek();
    try {
      await this.editor.save(version);
      this.dialog.value = null;
      say(text.flow.saved(this.editor.base.peek().version));
    } catch (problem) {
      if (problem.code === "FLOW_CHANGED") {
        await this.editor.findTheirs().catch(complain);
        if (this.editor.theirs.peek() !== null) this.dialog.value = { kind: "conflict" };
      } else if (problem.code === "INVALID_FLOW") {
        this.dialog.value = null;
        this.check.refuse(flow, problem.errors);
        focusLater(PROBLEMS_ID);
      } else {
        complain(problem);
      }
    }
  }
}

export const PROBLEMS_ID = "flow-problems";

export function blockId(name) {
  return `block-${name}`;
}

/** Once what was changed is drawn; `within`: the first of these in it. */
function focusLater(id, within) {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const element = document.getElementById(id);
      element?.scrollIntoView({ block: within ? "nearest" : "center" });
      (within ? (element?.querySelector(within) ?? element) : element)?.focus({ preventScroll: true });
    }),
  );
}
