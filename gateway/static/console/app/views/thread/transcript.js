/** What was said, day by day, in a frame that stays where the person reads. */

import { Component } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { Failed } from "../../components/states.js";
import { attentive } from "../../core/attention.js";
import { day, moment } from "../../core/format.js";
import { ownId } from "../../core/session.js";
import { html } from "../../html.js";
import { ReadMarker } from "../../store/read_marker.js";
import { text } from "../../text/index.js";
import { stateOf } from "./delivery.js";
import { layOut } from "./layout.js";
import { ScrollKeeper } from "./scroll_keeper.js";
import { PendingTurn, Turn } from "./turn.js";

/** Shown once the messages and the conversation are there: it begins at what is unread, else at the end. */
export function Transcript({ thread, conversation }) {
  const messages = thread.messages.value;
  const pending = thread.outbox.entries.value;
  const frame = useRef(null);
  const keeper = useMemo(() => new ScrollKeeper(), []);
  const { newFrom, forget } = useReading(thread, conversation, keeper);
  const [isPlaced, setPlaced] = useState(false);

  useLayoutEffect(() => {
    keeper.attach(frame.current);
    const beginning = frame.current.querySelector(".thread-new");
    if (beginning) keeper.toElement(beginning);
    else keeper.toEnd();
    setPlaced(true);
    return () => keeper.detach();
  }, [keeper]);
  useLayoutEffect(() => keeper.keep());

  const pendingCount = useRef(pending.length);
  useLayoutEffect(() => {
    if (pending.length > pendingCount.current) {
      forget();
      keeper.toEnd();
    }
    pendingCount.current = pending.length;
  }, [pending.length]);

  const days = useMemo(() => layOut(messages, newFrom), [messages, newFrom]);
  const { contact, channel, visitor_read_seq: readSeq } = conversation;
  const shared = { contactName: contact.name, channelName: channel.name, readSeq, viewerId: ownId.value };
  return html`<div class="thread-transcript">
    <div class="thread-frame" ref=${frame} role="log" aria-label=${text.thread.messages} tabindex="0"
      aria-live=${isPlaced && !thread.loadingOlder.value ? "polite" : "off"}>
      <div class="thread-content">
        <${Beginning} ...${{ thread, conversation, frame, isPlaced }} />
        ${days.map(({ key, at, turns }) => html`<${Day} key=${key} at=${at} turns=${turns} ...${shared} />`)}
        ${
          pending.length > 0 &&
          html`<ol class="thread-turns" aria-label=${text.thread.pending.label} aria-live="off">
          ${pending.map(
            (entry, at) => html`<${PendingTurn} key=${entry.client_message_id} entry=${entry} outbox=${thread.outbox}
            heads=${at === 0 && !(messages.length > 0 && isOwn(messages.at(-1)))} />`,
          )}
        </ol>`
        }
        ${thread.behind.value && html`<p class="thread-behind" role="status"><${Icon} name="warning" size=${14} />${text.thread.behind}</p>`}
      </div>
    </div>
    <${ToNewest} thread=${thread} keeper=${keeper} frame=${frame} />
  </div>`;
}

/**
 * What of the messages was looked at: tells the others, and says where the new ones begin (`newFrom`, a seq or null) for whom
 * they came while looking elsewhere.
 */
function useReading(thread, conversation, keeper) {
  const marker = useMemo(() => new ReadMarker(thread.id), [thread]);
  useEffect(() => () => marker.close(), [marker]);
  const [newFrom, setNewFrom] = useState(() => firstUnread(thread.messages.peek(), conversation));
  const lastSeq = thread.messages.value.at(-1)?.seq ?? 0;
  const seen = useRef(newFrom === null ? lastSeq : newFrom - 1);
  const isReading = attentive.value && keeper.atEnd.value;
  const { unread_count: unreadCount } = conversation;
  useEffect(() => {
    if (isReading) {
      seen.current = lastSeq;
      marker.see(lastSeq);
    } else if (lastSeq > seen.current && (newFrom === null || newFrom <= seen.current)) {
      setNewFrom(thread.messages.peek().find((message) => message.seq > seen.current && !isOwn(message))?.seq ?? null);
    }
  }, [isReading, lastSeq, unreadCount, marker, newFrom, thread]);
  return { newFrom, forget: () => setNewFrom(null) };
}

function firstUnread(messages, { read_seq, unread_count }) {
  const unread = messages.filter((message) => message.author.kind === "visitor" && message.seq > read_seq);
  // With more of them than are loaded nobody knows which one is the first.
  return unread_count > 0 && unread.length >= unread_count ? unread[0].seq : null;
}

/** What is above the first message. */
function Beginning({ thread, conversation, frame, isPlaced }) {
  const element = useRef(null);
  const firstSeq = thread.messages.value[0]?.seq;
  const hasOlder = thread.hasOlder.value;
  const problem = thread.olderProblem.value;
  useEffect(() => {
    if (!isPlaced || !hasOlder || problem !== null) return undefined;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && thread.older(), {
      root: frame.current,
      rootMargin: "800px 0px 0px",
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [thread, frame, isPlaced, hasOlder, firstSeq, problem]);
  return html`<div class="thread-top" ref=${element}>
    ${top()}
  </div>`;

  function top() {
    if (problem !== null) return html`<${Failed} problem=${problem} onRetry=${() => thread.older()} />`;
    if (thread.loadingOlder.value) return html`<p class="soft">${text.thread.loadingOlder}</p>`;
    if (hasOlder) return html`<${Button} kind="quiet" small onClick=${() => thread.older()}>${text.thread.older}<//>`;
    return html`<p class="soft">${firstSeq ? text.thread.beginning(moment(conversation.created_at)) : text.thread.noMessages}</p>`;
  }
}

class Day extends Component {
  shouldComponentUpdate(next) {
    const { turns, ...shared } = this.props;
    return Object.keys(shared).some((key) => next[key] !== shared[key]) || !areSame(turns, next.turns);
  }

  render({ at, turns, readSeq, ...names }) {
    return html`<section class="thread-day">
      <${DayLabel} at=${at} />
      <ol class="thread-turns">
        ${turns.map(
          ({ message, heads, ends, isNew }) =>
            html`<${Turn} key=${message.seq} ...${{
              message,
              heads,
              ends,
              isNew,
              name: nameOf(message.author, names),
              side: message.author.kind === "agent" && message.author.id === names.viewerId ? "own" : message.author.kind,
              state: stateOf(message, readSeq),
            }} />`,
        )}
      </ol>
    </section>`;
  }
}

// Of its own: at midnight "Today" becomes "Yesterday", and the day's turns don't change for that.
function DayLabel({ at }) {
  return html`<h3 class="thread-day-label"><span>${day(at)}</span></h3>`;
}

function areSame(one, other) {
  const keys = ["message", "heads", "ends", "isNew"];
  return one.length === other.length && one.every((turn, index) => keys.every((key) => turn[key] === other[index][key]));
}

function nameOf({ kind, id, name }, { contactName, channelName, viewerId }) {
  if (kind === "visitor") return contactName;
  // The flow's bot is called as its channel is, which the head tells; others by the name of their token.
  if (kind === "bot" && name === channelName) return text.thread.author.bot(null);
  if (kind === "agent" && id === viewerId) return text.thread.you;
  return text.thread.author[kind](name);
}

function ToNewest({ thread, keeper, frame }) {
  const lastSeq = thread.messages.value.at(-1)?.seq ?? 0;
  const seen = useRef(lastSeq);
  if (keeper.atEnd.value) {
    seen.current = lastSeq;
    return null;
  }
  const count = countNew(thread.messages.value, seen.current);
  const go = () => {
    keeper.toEnd();
    // The button goes away.
    frame.current.focus({ preventScroll: true });
  };
  return html`<button type="button" class=${`thread-to-newest ${count ? "thread-to-newest-new" : ""}`} onClick=${go}>
    <${Icon} name="down" size=${16} /><span class=${count ? "" : "visually-hidden"}>${count ? text.thread.newMessages(count) : text.thread.toNewest}</span>
  </button>`;
}

function countNew(messages, seen) {
  let count = 0;
  for (let at = messages.length - 1; at >= 0 && messages[at].seq > seen; at -= 1) if (!isOwn(messages[at])) count += 1;
  return count;
}

function isOwn({ author }) {
  return author.kind === "agent" && author.id === ownId.peek();
}
