/**
 * Flow documents, which may be anything while they are being written: read with care, changed by making new ones.
 *
 * A block's name may be that of anything an object inherits, so blocks are looked up as own properties alone.
 */

/** Where each type of block leads, in the order in which it is told. */
const WAYS = {
  message: ["next"],
  question: ["next", "otherwise"],
  buttons: ["options", "otherwise"],
  condition: ["cases", "else"],
  set: ["next"],
  ticket: ["next"],
  delay: ["next"],
  assign: ["unavailable"],
  goto: ["next"],
  close: [],
};
/** The way that a block goes when nothing special happens: by it, blocks are put in and taken out. */
const MAIN = { message: "next", question: "next", condition: "else", set: "next", ticket: "next", delay: "next", goto: "next" };
export const WAIT = "wait";
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `[name, block]` of all, in the document's order. */
function entries(flow) {
  return isObject(flow?.blocks) ? Object.entries(flow.blocks) : [];
}

export function hasBlock(flow, name) {
  return isObject(flow?.blocks) && typeof name === "string" && Object.hasOwn(flow.blocks, name);
}

/** The block, whatever it is; undefined when there is none of that name. */
export function blockAt(flow, name) {
  return hasBlock(flow, name) ? flow.blocks[name] : undefined;
}

/** Where a block leads: `[{path, target}]`; the target is a name, or null where the flow ends (or waits for an agent). */
export function ways(block) {
  if (!isObject(block) || !Object.hasOwn(WAYS, block.type)) return [];
  return WAYS[block.type].flatMap((way) => {
    const value = block[way];
    if (way !== "options" && way !== "cases") return [{ path: [way], target: targetOf(way, value) }];
    if (!Array.isArray(value)) return [];
    return value.map((part, index) => ({ path: [way, index, "next"], target: targetOf("next", part?.next) }));
  });
}

function targetOf(way, value) {
  return typeof value !== "string" || (way === "unavailable" && value === WAIT) ? null : value;
}

/** The path of a block's main way, null for those that have none. */
export function mainWay(block) {
  const way = isObject(block) && Object.hasOwn(MAIN, block.type) ? MAIN[block.type] : null;
  return way === null ? null : [way];
}

/** Names in the order in which they are reached from the start, each branch to its end; and those that are not. */
export function order(flow) {
  const reached = new Set();
  const ahead = [flow?.start];
  while (ahead.length > 0) {
    const name = ahead.pop();
    if (reached.has(name) || !hasBlock(flow, name)) continue;
    reached.add(name);
    ahead.push(
      ...ways(blockAt(flow, name))
        .map((way) => way.target)
        .reverse(),
    );
  }
  const unreached = entries(flow)
    .map(([name]) => name)
    .filter((name) => !reached.has(name));
  return { reached: [...reached], unreached };
}

/** What a path leads to within a block. */
export function valueAt(block, path) {
  return path.reduce(
    (value, key) => (typeof value === "object" && value !== null && Object.hasOwn(value, key) ? value[key] : undefined),
    block,
  );
}

/** A copy with another value at a path; `undefined` takes it away. Whatever else there is stays. */
export function withValue(value, [key, ...rest], changed) {
  const inner = rest.length > 0 ? withValue(valueAt(value, [key]), rest, changed) : changed;
  if (Array.isArray(value)) return inner === undefined ? value.toSpliced(key, 1) : value.with(key, inner);
  const others = isObject(value) ? value : {};
  return inner === undefined
    ? Object.fromEntries(Object.entries(others).filter(([each]) => each !== key))
    : { ...others, [key]: inner };
}

export function withBlock(flow, name, block) {
  return { ...flow, blocks: { ...(isObject(flow.blocks) ? flow.blocks : {}), [name]: block } };
}

export function withStart(flow, name) {
  return { ...flow, start: name };
}

/** Why a name can't be a block's: `form`, `taken`, or null when it can. */
export function wrongName(flow, name) {
  if (!NAME.test(name) || name === WAIT) return "form";
  return hasBlock(flow, name) ? "taken" : null;
}

/** A name that is free: the one wished for, or with a number. */
export function freeName(flow, wished) {
  let name = wished;
  for (let count = 2; wrongName(flow, name) !== null; count += 1) name = `${wished.slice(0, 60)}_${count}`;
  return name;
}

/** The block under another name; what led to it leads to it still. */
export function rename(flow, name, wished) {
  const renamed = entries(flow).map(([each, block]) => [each === name ? wished : each, redirect(block, name, wished)]);
  return { ...flow, start: flow.start === name ? wished : flow.start, blocks: Object.fromEntries(renamed) };
}

/** Without the block: what led to it leads where it led. */
export function removeBlock(flow, name) {
  const bypassed = bypass(flow, name);
  const left = entries(bypassed).filter(([each]) => each !== name);
  const start = bypassed.start === name ? (left[0]?.[0] ?? null) : bypassed.start;
  return { ...bypassed, start, blocks: Object.fromEntries(left) };
}

/** A new block at a spot: null (nothing leads to it yet), `"start"`, or the way `{from, path}`; it goes on where that led. */
export function insert(flow, name, block, spot) {
  const open = ways(block).filter(({ path, target }) => target === null && path[0] !== "unavailable" && path[0] !== "otherwise");
  return place(
    flow,
    name,
    block,
    spot,
    open.map(({ path }) => path),
  );
}

/** The block taken out of where it is and put at another spot; its main way goes on from there. */
export function move(flow, name, spot) {
  const bypassed = bypass(flow, name);
  const way = mainWay(blockAt(flow, name));
  return place(bypassed, name, withValue(blockAt(bypassed, name), way, null), spot, [way]);
}

/** `paths`: those of the block's ways that go on where the spot led. */
function place(flow, name, block, spot, paths) {
  const before = spot === "start" ? flow.start : spot && targetOf(spot.path[0], valueAt(blockAt(flow, spot.from), spot.path));
  const following = hasBlock(flow, before) && before !== name ? before : null;
  const linked = paths.reduce((changed, path) => withValue(changed, path, following), block);
  return lead(withBlock(flow, name, linked), spot, name);
}

function lead(flow, spot, name) {
  if (spot === null) return flow;
  if (spot === "start") return withStart(flow, name);
  return withBlock(flow, spot.from, withValue(blockAt(flow, spot.from), spot.path, name));
}

function bypass(flow, name) {
  const block = blockAt(flow, name);
  const way = mainWay(block);
  const target = way === null ? null : valueAt(block, way);
  const following = hasBlock(flow, target) && target !== name ? target : null;
  const others = entries(flow).map(([each, other]) => [each, each === name ? other : redirect(other, name, following)]);
  return {
    ...flow,
    start: flow.start === name && following !== null ? following : flow.start,
    blocks: Object.fromEntries(others),
  };
}

function redirect(block, name, target) {
  const led = ways(block).filter((way) => way.target === name);
  return led.reduce((changed, { path }) => withValue(changed, path, target ?? (path[0] === "unavailable" ? WAIT : null)), block);
}
