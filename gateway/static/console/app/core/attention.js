/** Whether somebody looks at this page: it is visible, and theirs. */

import { signal } from "@preact/signals";

export const attentive = signal(look());

for (const name of ["focus", "blur"]) addEventListener(name, renew);
document.addEventListener("visibilitychange", renew);

function renew() {
  attentive.value = look();
}

function look() {
  return document.visibilityState === "visible" && document.hasFocus();
}
