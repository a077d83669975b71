/** Who has the conversation, and giving it to somebody else, to nobody, or to whom the rules choose. */

import { useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.js";
import { Icon } from "../../components/icon.js";
import { Popover } from "../../components/menu.js";
import { Avatar, StatusDot } from "../../components/person.js";
import { Outdated } from "../../components/states.js";
import { post, put, remove } from "../../core/api.js";
import { duration } from "../../core/format.js";
import { me, ownId } from "../../core/session.js";
import { complain } from "../../core/toasts.js";
import { html } from "../../html.js";
import { putConversation } from "../../store/conversations.js";
import { LiveResource } from "../../store/live_resource.js";
import { agentOf } from "../../store/people.js";
import { useLive } from "../../store/use_live.js";
import { text } from "../../text/index.js";
import { refusal } from "../refusal.js";
import { AssigneeMenu } from "./assignee_menu.js";

export function Assignee({ conversationId, conversation }) {
  const words = text.profile.assignee;
  const assignment = useAssignment(conversationId);
  const [busy, setBusy] = useState(false);
  const frame = useRef(null);
  const acted = useRef(false);
  const id = useId();
  const current = assignment.current.value;
  const unread = assignment.problem.value;
  const assignee = current ? current.assignee : conversation?.assignee;
  const archived = conversation?.status === "archived";
  const path = `/v1/conversations/${conversationId}/assignee`;

  const doing = async (work) => {
    if (busy) return;
    setBusy(true);
    acted.current = true;
    try {
      await work();
    } catch (problem) {
      complain(refusal(problem));
      assignment.reload();
    } finally {
      setBusy(false);
    }
  };
  useLayoutEffect(() => {
    // What was pressed may be gone with what it did.
    if (!busy && acted.current && document.activeElement === document.body)
      frame.current.querySelector(".assignee-button").focus();
  }, [busy]);
  const give = (agent, remark) =>
    doing(async () => {
      const body = { agent_id: agent.id, expected_assignee_id: assignee?.id ?? null, remark: remark || null };
      assignment.put(await put(path, body));
    });
  const take = (remark) =>
    doing(async () => {
      assignment.put(await remove(path, { expected_assignee_id: assignee?.id ?? "none", remark }));
    });
  const find = () =>
    doing(async () => {
      putConversation(await post(`/v1/conversations/${conversationId}/assign`, {}));
    });

  const button = (
    attributes,
  ) => html`<button type="button" class="assignee-button" disabled=${archived} aria-busy=${busy || undefined}
    id=${`${id}-button`} aria-labelledby=${`${id} ${id}-button`} ...${attributes}>
    <${Who} assignee=${assignee} /><${Icon} name="down" size=${14} />
  </button>`;
  const isOpen = conversation !== undefined && !archived;
  return html`<div class="assignee" ref=${frame}>
    <p class="assignee-label" id=${id}>${words.label}</p>
    <${Popover} align="start" label=${words.choose} button=${button}>
      ${(close) => html`<${AssigneeMenu} ...${{ assignee, queued: current?.state === "queued", close, give, take }} />`}
    <//>
    ${unread !== null && html`<${Outdated} problem=${current === null && unread} onRetry=${() => assignment.reload()} />`}
    <p class="assignee-state" role="status"><${State} ...${{ assignee, current, conversation }} /></p>
    ${
      isOpen &&
      !assignee &&
      html`<div class="assignee-actions">
      <${Button} small kind="primary" busy=${busy} onClick=${() => give(me.peek())}>${words.take}<//>
      ${current !== null && current.state !== "queued" && html`<${Button} small icon="search" busy=${busy} onClick=${find}>${words.find}<//>`}
    </div>`
    }
  </div>`;
}

function Who({ assignee }) {
  const words = text.profile.assignee;
  if (!assignee) return html`<span class="assignee-name soft">${words.nobody}</span>`;
  const agent = agentOf(assignee.id);
  return html`<${Avatar} id=${assignee.id} name=${assignee.name} size="s" />
    <span class="assignee-name" dir="auto">${agent?.name ?? assignee.name}</span>
    ${assignee.id === ownId.value && html`<span class="soft">(${words.you})</span>`}
    ${agent && html`<${StatusDot} agent=${agent} />`}`;
}

/** Where a conversation stands that nobody has; who has it is seen already, and only said. */
function State({ assignee, current, conversation }) {
  const words = text.profile.assignee;
  if (conversation?.status === "archived") return words.archived;
  if (assignee) return html`<span class="visually-hidden">${`${words.label}: ${assignee.name}`}</span>`;
  if (current?.state !== "queued") return conversation?.handler === "bot" ? words.bot : null;
  const { queue_position: position, estimated_wait_seconds: seconds, priority, returned } = current;
  const told = [
    position === null ? words.queued : words.place(position),
    seconds !== null && words.estimate(duration(seconds)),
    words.priority[priority],
    returned && words.returned,
  ];
  return told.filter(Boolean).join(" · ");
}

function useAssignment(conversationId) {
  const assignment = useMemo(() => {
    const isIt = (data) => data.conversation_id === conversationId;
    return new LiveResource({ path: `/v1/conversations/${conversationId}/assignee`, event: "assignment.updated", isIt });
  }, [conversationId]);
  useLive(assignment);
  return assignment;
}
