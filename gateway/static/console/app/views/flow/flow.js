/** Admin: a channel's bot flow: its blocks, or its JSON, and beside it the bot to try. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { Icon } from "../../components/icon.js";
import { LeaveGuard } from "../../components/leave_guard.js";
import { Empty, Failed, Skeleton } from "../../components/states.js";
import { Tabs } from "../../components/tabs.js";
import { Time } from "../../components/time.js";
import { route, to } from "../../core/route.js";
import { say } from "../../core/toasts.js";
import { html } from "../../html.js";
import { channels } from "../../store/people.js";
import { text } from "../../text/index.js";
import { BlockList } from "./block_list.js";
import { ConflictDialog, TheirsBanner } from "./conflict.js";
import { FlowDesk } from "./desk.js";
import { AddDialog, MoveDialog, RenameDialog } from "./dialogs.js";
import { JsonView } from "./json_view.js";
import { CheckState, ProblemList } from "./problems.js";
import { Templates } from "./templates.js";
import { TrialPanel } from "./trial_panel.js";
import { VersionsDialog, whoOf } from "./versions.js";

const NARROW = 760; // pixels of the page's own width below which the trial gets a tab

export function FlowPage({ channelId }) {
  const desk = useMemo(() => new FlowDesk(channelId), [channelId]);
  useEffect(() => {
    desk.open().then(() => {
      const { block } = route.peek().query;
      if (block && desk.names.peek().includes(block)) desk.show(block);
    });
    return () => desk.close();
  }, [desk]);
  const words = text.channels;
  const { editor } = desk;
  if (channels.loaded.value && channels.get(channelId) === undefined) {
    return html`<${Empty} icon="globe" title=${words.notFound}><a href=${to(["admin", "channels"])}>${words.toChannels}</a><//>`;
  }
  if (editor.problem.value !== null) return html`<${Failed} problem=${editor.problem.value} onRetry=${() => desk.open()} />`;
  if (editor.base.value === undefined) return html`<${Skeleton} lines=${8} />`;
  return html`<${Editor} desk=${desk} />`;
}

function Editor({ desk }) {
  const page = useRef(null);
  const narrow = useNarrow(page);
  return html`<div class=${`flow-page ${narrow ? "flow-page-narrow" : ""}`} ref=${page}>
    <${LeaveGuard} when=${desk.editor.dirty.value} />
    <${Head} desk=${desk} />
    <${TheirsBanner} desk=${desk} />
    <${BrokenBanner} desk=${desk} />
    <div class="flow-columns">
      <${Main} desk=${desk} narrow=${narrow} />
      ${!narrow && html`<aside class="flow-aside"><${TrialPanel} desk=${desk} /></aside>`}
    </div>
    <${OpenDialog} desk=${desk} />
  </div>`;
}

function Head({ desk }) {
  const words = text.flow;
  const { editor } = desk;
  const channel = channels.get(editor.channelId);
  const open = (kind) => () => {
    desk.dialog.value = { kind };
  };
  return html`<header class="flow-head">
    <nav class="channel-crumbs" aria-label=${text.channels.title}>
      <a href=${to(["admin", "channels", editor.channelId])} dir="auto"><${Icon} name="back" size=${14} />${channel?.name ?? text.channels.title}</a>
    </nav>
    <div class="flow-head-row">
      <h2>${words.title}</h2>
      <${CheckState} desk=${desk} />
      <${SavedState} editor=${editor} />
      <div class="flow-head-tools">
        <${IconButton} icon="undo" label=${words.undo} disabled=${!editor.canUndo.value} onClick=${() => editor.undo()} />
        <${IconButton} icon="redo" label=${words.redo} disabled=${!editor.canRedo.value} onClick=${() => editor.redo()} />
        <${IconButton} icon="trash" label=${words.remove} disabled=${editor.base.value.flow === null} onClick=${open("remove")} />
        <${Button} icon="history" onClick=${open("versions")}>${words.versions}<//>
        <${Button} kind="primary" busy=${editor.saving.value} disabled=${!editor.dirty.value || editor.flow.value === null || editor.broken.value !== null}
          onClick=${() => desk.save()}>${editor.saving.value ? text.actions.saving : words.save}<//>
      </div>
    </div>
  </header>`;
}

function SavedState({ editor }) {
  const words = text.flow;
  const base = editor.base.value;
  if (editor.dirty.value) return html`<span class="pill pill-warn">${words.unsaved}</span>`;
  if (base.version === null) return html`<span class="soft">${words.removedState}</span>`;
  return html`<span class="soft flow-saved">
    ${words.version(base.version)}${base.created_at && html` · <${Time} at=${base.created_at} /> ${words.by} <bdi>${whoOf(base)}</bdi>`}
  </span>`;
}

/** The JSON view holds what can't be read, and another view is shown. */
function BrokenBanner({ desk }) {
  const words = text.flow.json;
  const { editor, view } = desk;
  if (editor.broken.value === null || view.value === "json") return null;
  const open = () => {
    view.value = "json";
  };
  const discard = () => {
    editor.broken.value = null;
  };
  return html`<div class="flow-notice" role="status">
    <${Icon} name="warning" />
    <p>${words.notTaken}</p>
    <${Button} small onClick=${open}>${words.open}<//>
    <${Button} small onClick=${discard}>${words.discard}<//>
  </div>`;
}

function Main({ desk, narrow }) {
  const words = text.flow.views;
  const { view } = desk;
  const names = narrow ? ["blocks", "json", "trial"] : ["blocks", "json"];
  const chosen = names.includes(view.value) ? view.value : "blocks";
  const choose = (id) => {
    view.value = id;
  };
  return html`<div class="flow-main">
    <${Tabs} label=${words.label} tabs=${names.map((id) => ({ id, label: words[id] }))} chosen=${chosen} onChoose=${choose}>
      <div class="flow-view">
        ${chosen !== "trial" && html`<${ProblemList} desk=${desk} />`}
        ${chosen === "blocks" && (desk.editor.flow.value === null ? html`<${Templates} desk=${desk} />` : html`<${BlockList} desk=${desk} />`)}
        ${chosen === "json" && html`<${JsonView} desk=${desk} />`}
        ${chosen === "trial" && html`<${TrialPanel} desk=${desk} />`}
      </div>
    <//>
  </div>`;
}

const DIALOGS = {
  add: AddDialog,
  rename: RenameDialog,
  move: MoveDialog,
  versions: VersionsDialog,
  conflict: ConflictDialog,
  remove: RemoveDialog,
};

function OpenDialog({ desk }) {
  const dialog = desk.dialog.value;
  if (dialog === null) return null;
  const { kind, ...rest } = dialog;
  const close = () => {
    desk.dialog.value = null;
  };
  return html`<${DIALOGS[kind]} desk=${desk} onClose=${close} ...${rest} />`;
}

function RemoveDialog({ desk, onClose }) {
  const words = text.flow;
  const removeFlow = async () => {
    await desk.editor.remove();
    say(words.removed);
  };
  return html`<${Confirm} title=${words.removeTitle} action=${words.remove} onConfirm=${removeFlow} onClose=${onClose}><p>${words.removeLead}</p><//>`;
}

/** Whether the element has less room than two columns want. */
function useNarrow(element) {
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setNarrow(entry.contentRect.width < NARROW));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return narrow;
}
