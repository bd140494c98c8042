// Comfort on top of pages that work without it. No library, no content from elsewhere.
(() => {
  "use strict";

  const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.valueOf())) time.textContent = zone.format(at);
      time.dataset.local = "";
    }
  };

  // <button data-copy="id of a field">: copies its value and says so.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const text = source.value ?? source.textContent;
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      source.select?.();
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = before; }, 2000);
  });

  // <form data-confirm="…">: asks before it is sent.
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // <form data-instant>: a filter applies when it changes.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-instant]");
    if (form && event.target.matches("select, input[type=checkbox], input[type=date], input[type=datetime-local]")) form.requestSubmit();
  });

  // <tbody data-live="url" data-newest="cursor">: rows that are new are put in front.
  const live = async (body) => {
    if (document.hidden) return;
    const url = new URL(body.dataset.live, location.href);
    url.searchParams.set("after", body.dataset.newest ?? "");
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fragment = new DOMParser().parseFromString(`<table>${await answer.text()}</table>`, "text/html").querySelector("tbody");
    if (!fragment || !fragment.rows.length) return;
    body.dataset.newest = fragment.dataset.newest;
    localTimes(fragment);
    body.prepend(...fragment.rows);
    const said = document.getElementById(body.dataset.says);
    if (said) said.textContent = "New entries were added at the top.";
    document.querySelector("[data-when-empty]")?.remove();
  };

  // <section data-refresh="url" data-every="ms">: replaced by what the server says, until it is without the attribute.
  const refresh = async (section) => {
    const answer = await fetch(section.dataset.refresh, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return section;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(section.id);
    if (!fresh) return section;
    localTimes(fresh);
    section.replaceWith(fresh);
    return fresh;
  };
  const keepFresh = (section) => {
    if (!section.dataset.refresh) return;
    setTimeout(async () => keepFresh(await refresh(section).catch(() => section)), Number(section.dataset.every) || 1000);
  };

  // <input data-pattern="id of an output">: where a link would lead, while it is typed.
  document.addEventListener("input", (event) => {
    const shown = document.getElementById(event.target.dataset?.pattern ?? "")?.firstElementChild;
    if (!shown) return;
    const { id, base, default: usual } = event.target.dataset;
    const text = event.target.value.trim() || usual;
    const leads = text.includes("{id}") && /^(https?:\/\/[^/]|\/)/.test(text);
    const url = text.replaceAll("{id}", encodeURIComponent(id));
    shown.textContent = !leads ? "nothing yet: it needs http, https or a path, and {id}" : url.startsWith("/") ? base + url : url;
  });

  localTimes(document);
  for (const body of document.querySelectorAll("tbody[data-live]")) setInterval(() => live(body).catch(() => {}), 3000);
  for (const section of document.querySelectorAll("[data-refresh]")) keepFresh(section);
  for (const element of document.querySelectorAll("[data-script]")) element.hidden = false;
})();
