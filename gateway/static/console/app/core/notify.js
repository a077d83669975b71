/** New messages for somebody who looks elsewhere: the number in the title, and a desktop notification when it was allowed. */

import { effect, signal } from "@preact/signals";
import { text } from "../text/index.js";

const KEY = "foyer.notifications";
const unseen = signal(0);

/** `on`, `off`, or `denied` by the browser. */
export const notifications = signal(state());

effect(() => {
  document.title = unseen.value ? `(${unseen.value}) ${text.product}` : text.product;
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") unseen.value = 0;
});

/** Switch them; asks the browser for leave when needed. */
export async function setNotifications(wanted) {
  if (wanted && "Notification" in globalThis && Notification.permission === "default") await Notification.requestPermission();
  if (wanted) localStorage.setItem(KEY, "on");
  else localStorage.removeItem(KEY);
  notifications.value = state();
}

/** A message came; `open` is called when the person follows the notification. Nothing happens while the page is looked at. */
export function announce({ title, body, tag, open }) {
  if (document.visibilityState === "visible" && document.hasFocus()) return;
  unseen.value += 1;
  if (notifications.value !== "on") return;
  const shown = new Notification(title, { body, tag, icon: "/console/icon.svg" });
  shown.onclick = () => {
    focus();
    shown.close();
    open();
  };
}

addEventListener("focus", () => {
  unseen.value = 0;
});

function state() {
  if (!("Notification" in globalThis) || Notification.permission === "denied") return "denied";
  return localStorage.getItem(KEY) === "on" && Notification.permission === "granted" ? "on" : "off";
}
