/**
 * A list of any length whose rows are all of one height: only those in view, and some around, are in the page.
 *
 * It is one stop of the Tab key; arrows, Page Up and Down, Home and End move within. Rows that come or go above don't move what is in view.
 */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

const STEP = 4; // rows; the window moves by as many, so that scrolling renders seldom
const OVERSCAN = 8;
const EAGER = 40; // rows before the end at which more is asked for

/**
 * `row(id, tabIndex)` renders one, with one thing in it that takes the focus and the tabIndex. `chosen` is kept in view. `complete`
 * says whether `ids` are all there are; `onNearEnd()` is called, often, while the end is near.
 */
export function VirtualList({ ids, rowHeight, label, chosen, complete, row, onNearEnd, foot }) {
  const scroller = useRef(null);
  const [range, setRange] = useState({ first: 0, last: 24 });
  const [stop, setStop] = useState(null);
  const seen = useRef({ ids, top: 0, height: 0, wanted: null, followed: null }).current;
  const tabStop = [stop, chosen, ids[0]].find((id) => id !== undefined && ids.includes(id));
  // Asked before the page is changed: what is moved or removed loses the focus.
  const focused = rowOf(document.activeElement, scroller.current);

  const look = () => {
    const { scrollTop, clientHeight } = scroller.current;
    if (clientHeight === 0) return; // hidden: what was in view comes back
    seen.top = scrollTop;
    seen.height = clientHeight;
    const first = Math.max(0, STEP * Math.floor((scrollTop / rowHeight - OVERSCAN) / STEP));
    const last = STEP * Math.ceil(((scrollTop + clientHeight) / rowHeight + OVERSCAN) / STEP);
    setRange((known) => (known.first === first && known.last === last ? known : { first, last }));
  };
  const scrollTo = (top) => {
    seen.top = top;
    scroller.current.scrollTop = top;
    look();
  };
  const reveal = (index) => {
    if (index * rowHeight < seen.top) scrollTo(index * rowHeight);
    else if ((index + 1) * rowHeight > seen.top + seen.height) scrollTo((index + 1) * rowHeight - seen.height);
  };
  const isInView = (index) => index !== -1 && (index + 1) * rowHeight > seen.top && index * rowHeight < seen.top + seen.height;
  const find = (id) => scroller.current.querySelector(`[data-row="${CSS.escape(id)}"] [tabindex]`);
  const focus = (id) => {
    const found = find(id);
    found?.focus({ preventScroll: true });
    seen.wanted = found === null ? id : null; // the tab stop will be in the page
    setStop(id);
  };

  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => scrollTo(seen.top));
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const before = seen.ids;
    seen.ids = ids;
    const wasInView = isInView(before.indexOf(chosen));
    const [first, last] = [Math.floor(seen.top / rowHeight), Math.ceil((seen.top + seen.height) / rowHeight)];
    const moved = first === 0 ? 0 : commonMove(before, ids, first, last);
    if (moved === 0) look();
    else scrollTo(Math.max(0, seen.top + moved * rowHeight));
    const at = ids.indexOf(chosen);
    if (wasInView && focused === null && at !== -1 && !isInView(at)) reveal(at);
    if (focused === null || rowOf(document.activeElement, scroller.current) !== null) return;
    const next = ids.includes(focused) ? focused : ids[Math.min(before.indexOf(focused), ids.length - 1)];
    if (next !== undefined) focus(next);
  }, [ids]);

  useLayoutEffect(() => {
    if (seen.wanted !== null) find(seen.wanted)?.focus({ preventScroll: true });
    seen.wanted = null;
  });

  useLayoutEffect(() => {
    if (seen.followed === chosen || ids.length === 0) return;
    seen.followed = chosen;
    const at = ids.indexOf(chosen);
    if (at === -1) return;
    setStop(chosen);
    reveal(at);
  }, [chosen, ids]);

  useEffect(() => {
    if (seen.height > 0 && range.last - OVERSCAN + EAGER >= ids.length) onNearEnd();
  });

  const onKeyDown = (event) => {
    const at = ids.indexOf(rowOf(event.target, scroller.current));
    if (at === -1 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const page = Math.max(1, Math.floor(seen.height / rowHeight) - 1);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: ids.length - 1 }[
      event.key
    ];
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.min(Math.max(next, 0), ids.length - 1);
    reveal(index);
    focus(ids[index]);
  };
  const onFocusIn = (event) => {
    const id = rowOf(event.target, scroller.current);
    if (id !== null) setStop(id);
  };

  return html`<div class="virtual-list" ref=${scroller} onScroll=${look} onKeyDown=${onKeyDown} onFocusIn=${onFocusIn}>
    <div role="list" aria-label=${label} class="virtual-rows" style=${{ height: `${ids.length * rowHeight}px` }}>
      ${shownRows(ids, range, ids.indexOf(tabStop)).map(
        (
          index,
        ) => html`<div key=${ids[index]} role="listitem" class="virtual-row" data-row=${ids[index]} aria-posinset=${index + 1}
          aria-setsize=${complete ? ids.length : -1} style=${{ height: `${rowHeight}px`, transform: `translateY(${index * rowHeight}px)` }}>
          ${row(ids[index], ids[index] === tabStop ? 0 : -1)}
        </div>`,
      )}
    </div>
    ${foot}
  </div>`;
}

/** The id of the row that an element is in, or null. */
function rowOf(element, scroller) {
  return scroller?.contains(element) ? (element.closest("[data-row]")?.dataset.row ?? null) : null;
}

/** The indexes of the rows in the page: those of the range, and the tab stop, which may be elsewhere. */
function shownRows(ids, { first, last }, tabStop) {
  const shown = [];
  for (let index = first; index < Math.min(last, ids.length); index += 1) shown.push(index);
  if (tabStop !== -1 && tabStop < first) shown.unshift(tabStop);
  else if (tabStop >= last) shown.push(tabStop);
  return shown;
}

/** By how many places most of what was in view has moved: a row that jumped elsewhere doesn't count. */
function commonMove(before, ids, first, last) {
  const places = new Map(ids.map((id, index) => [id, index]));
  const counts = new Map();
  let common = 0;
  for (let index = first; index < Math.min(last, before.length); index += 1) {
    const place = places.get(before[index]);
    if (place === undefined) continue;
    const move = place - index;
    counts.set(move, (counts.get(move) ?? 0) + 1);
    if (counts.get(move) > (counts.get(common) ?? 0)) common = move;
  }
  return common;
}
