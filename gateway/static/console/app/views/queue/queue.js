/** Who waits for an agent, how long, why and for whom, and a hand to take them. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { EndOfList } from "../../components/end_of_list.js";
import { Avatar } from "../../components/person.js";
import { Empty, Failed, Skeleton } from "../../components/states.js";
import { put } from "../../core/api.js";
import { duration, fullTime, moment, since } from "../../core/format.js";
import { go, to } from "../../core/route.js";
import { me } from "../../core/session.js";
import { complain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { epoch } from "../../store/live.js";
import { agentName, channelName, teams } from "../../store/people.js";
import { text } from "../../text/index.js";
import { refusal } from "../refusal.js";
import { Line } from "./line.js";
import { useName } from "./names.js";

const NAMED = 3; // agents

export function QueuePage() {
  const words = text.chats.queue;
  const line = useLine();
  return html`<section class="queue" aria-labelledby="queue-title">
    <header class="queue-head">
      <h2 id="queue-title">${words.title}</h2>
      ${line.loaded.value && html`<${Summary} line=${line} />`}
    </header>
    <${Waiting} line=${line} />
  </section>`;
}

function Summary({ line }) {
  const items = line.items.value;
  const longest = Math.max(0, ...items.map((item) => since(item.requested_at)));
  return html`<p class="soft">
    <span role="status">${text.chats.queue.summary(items.length, !line.done.value)}</span>${items.length > 0 && `, ${text.chats.queue.longest(duration(longest))}`}
  </p>`;
}

function Waiting({ line }) {
  const words = text.chats.queue;
  if (!line.loaded.value) {
    if (line.problem.value !== null) return html`<${Failed} problem=${line.problem.value} onRetry=${() => line.reload()} />`;
    return html`<${Skeleton} lines=${6} />`;
  }
  const items = line.items.value;
  if (items.length === 0 && line.done.value) return html`<${Empty} icon="queue" title=${words.empty}>${words.emptyHint}<//>`;
  return html`<ol class="queue-line" aria-label=${words.list}>
      ${items.map((item) => html`<${Place} key=${item.conversation_id} item=${item} line=${line} />`)}
    </ol>
    <${EndOfList} pages=${line} />`;
}

function Place({ item, line }) {
  const words = text.chats.queue;
  const { conversation_id: id, position, priority, returned } = item;
  const row = useRef(null);
  const name = useName(id, row);
  return html`<li class="queue-place" ref=${row}>
    <span class="queue-position"><span class="visually-hidden">${words.position(position)}</span><span aria-hidden="true">${position}</span></span>
    <div class="queue-who">
      <${Avatar} id=${item.contact_id} name=${name} />
      <div>
        <a class="queue-name" dir="auto" href=${to(["chats", "unassigned", id])}>${name ?? text.states.loading}</a>
        <p class="queue-channel soft" dir="auto">${channelName(item.channel_id) ?? text.chats.unknownChannel}</p>
        ${
          (returned || priority !== "normal") &&
          html`<p class="queue-pills">
          ${returned && html`<span class="pill pill-warn" title=${words.returnedHint}>${words.returned}</span>`}
          ${priority !== "normal" && html`<span class=${`pill ${priority === "high" ? "pill-bad" : ""}`}>${words.priorities[priority]}</span>`}
        </p>`
        }
      </div>
    </div>
    <dl class="queue-facts">
      <${Fact} name=${words.since}>
        <time datetime=${item.requested_at} title=${fullTime(item.requested_at)}>${duration(since(item.requested_at))}</time>
        <span class="soft"> ${words.sinceAt(moment(item.requested_at))}</span>
      <//>
      <${Fact} name=${words.estimate}>${item.estimated_wait_seconds === null ? words.noEstimate : duration(item.estimated_wait_seconds)}<//>
      <${Fact} name=${words.forWhom}>${whom(item)}<//>
      ${item.reason && html`<${Fact} name=${words.why} wide>${item.reason}<//>`}
    </dl>
    <${Take} id=${id} name=${name ?? ""} line=${line} />
  </li>`;
}

function Fact({ name, wide = false, children }) {
  return html`<div class=${wide ? "queue-fact queue-fact-wide" : "queue-fact"}><dt>${name}</dt><dd dir="auto">${children}</dd></div>`;
}

function Take({ id, name, line }) {
  const words = text.chats.queue;
  const [busy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    const own = me.peek().id;
    try {
      await put(`/v1/conversations/${id}/assignee`, { agent_id: own, expected_assignee_id: null });
      line.drop(id);
      go(["chats", "mine", id]);
    } catch (problem) {
      setBusy(false);
      complain(refusal(problem));
      line.reload();
    }
  };
  return html`<${Button} kind="primary" busy=${busy} aria-label=${words.takeWhom(name)} onClick=${take}>${words.take}<//>`;
}

/** The agents, the team, or anybody. */
function whom({ agents: named, team_id }) {
  const words = text.chats.queue;
  if (team_id !== null) return teams.byId.value.get(team_id)?.name ?? words.unknownTeam;
  if (named === null) return words.anybody;
  const names = named.slice(0, NAMED).map((id) => agentName(id) ?? text.chats.unknownAgent);
  if (named.length > NAMED) names.push(words.others(named.length - NAMED));
  return names.join(", ");
}

function useLine() {
  const line = useMemo(() => new Line(), []);
  useEffect(() => () => line.close(), [line]);
  const turn = epoch.value;
  useEffect(() => {
    line.reload();
  }, [line, turn]);
  return line;
}
