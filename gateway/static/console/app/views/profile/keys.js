/** Keys of what is filled in in place. */

/** For `onKeyDown`: Escape closes it, and nothing around it. */
export function onEscape(close) {
  return (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
}
