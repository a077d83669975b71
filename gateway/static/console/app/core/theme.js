/** Light or dark: the system's choice unless the person made one. */

import { effect, signal } from "@preact/signals";

const KEY = "foyer.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** `light`, `dark`, or `system`. */
export const theme = signal(localStorage.getItem(KEY) ?? "system");

const systemIsDark = signal(system.matches);
system.addEventListener("change", () => {
  systemIsDark.value = system.matches;
});

effect(() => {
  const dark = theme.value === "dark" || (theme.value === "system" && systemIsDark.value);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
});

/** Choose, for this browser. */
export function choose(value) {
  theme.value = value;
  if (value === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, value);
}
