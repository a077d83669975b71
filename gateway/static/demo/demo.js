/** The demo shop: gives the widget the channel that the address names, and shows the page that it names. */
(() => {
  "use strict";

  const query = new URLSearchParams(location.search);
  const channel = query.get("channel") ?? "";
  const place = query.get("page") ?? "";
  const find = (id) => document.getElementById(id);

  /** The same shop with another page, for the same channel. */
  const addressOf = (page) => {
    const wanted = new URLSearchParams([...(channel ? [["channel", channel]] : []), ...(page ? [["page", page]] : [])]);
    return `/demo${wanted.size ? `?${wanted}` : ""}`;
  };

  for (const link of document.querySelectorAll("[data-page]")) {
    link.href = addressOf(link.dataset.page);
    if (link.dataset.page === place && link.closest("nav")) link.setAttribute("aria-current", "page");
  }

  const sections = [...document.querySelectorAll("[data-shown-on]")];
  const shown = channel ? (sections.find((section) => section.dataset.shownOn === place) ?? sections[0]) : find("missing");
  for (const section of [...sections, find("missing")]) section.hidden = section !== shown;
  document.title = `${shown.querySelector("h1").textContent} – Demo shop`;

  const line = `<script src="${location.origin}/widget.js" data-channel="${channel || "…"}" async></script>`;
  find("snippet").textContent = line;
  // Both scripts are deferred, so this one is done before the widget looks for its channel.
  if (channel) find("widget").dataset.channel = channel;

  for (const button of document.querySelectorAll(".ask")) button.addEventListener("click", () => window.Foyer?.open());
  find("toggle").addEventListener("change", ({ target }) => {
    find("hostile").disabled = !target.checked;
  });
})();
