// Comfort on top of pages that work without it. No library, no content from elsewhere.
(() => {
  "use strict";

  const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(time.dateTime);
      const format = time.dataset.exactly === undefined ? zone : exact;
      if (!Number.isNaN(at.valueOf())) time.textContent = format.format(at);
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

  // <input type="datetime-local" data-utc>: UTC in the address, the reader's own time in the field.
  const shifted = (text, read, write) => {
    const at = new Date(read(text));
    return Number.isNaN(at.valueOf()) ? text : new Date(write(at)).toISOString().slice(0, text.length > 16 ? 19 : 16);
  };
  for (const input of document.querySelectorAll("input[data-utc]")) {
    input.value = shifted(input.defaultValue, (text) => `${text}Z`, (at) => at - at.getTimezoneOffset() * 60000);
    const hint = document.getElementById(`h-${input.name}`);
    if (hint) hint.textContent = hint.textContent.replace("UTC", Intl.DateTimeFormat().resolvedOptions().timeZone);
  }
  document.addEventListener("formdata", (event) => {
    for (const input of event.target.querySelectorAll("input[data-utc]")) {
      if (input.value) event.formData.set(input.name, shifted(input.value, (text) => text, (at) => at));
    }
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  // <tbody data-live="url" data-newest="cursor">: rows that are new are put where they belong, or
  // take the place of all when there are too many of them; a button may pause that.
  const MOST_ROWS = 400;
  const tell = (body, text, state = "") => {
    const said = document.getElementById(body.dataset.says);
    if (!said) return;
    said.textContent = text;
    said.classList.toggle("lost", state === "lost");
    said.classList.toggle("paused", state === "paused");
  };
  const take = (body, fresh) => {
    const known = new Set([...body.rows].map((row) => row.id));
    const added = [...fresh.rows].filter((row) => !known.has(row.id));
    body.dataset.newest = fresh.dataset.newest;
    if (fresh.dataset.whole !== undefined) {
      body.replaceChildren(...fresh.rows);
      const older = document.querySelector(".pager a[rel=next]");
      if (older && fresh.dataset.older) {
        older.href = fresh.dataset.older;
        older.closest("nav").hidden = false;
      }
    } else {
      for (const row of added) {
        body.insertBefore(row, [...body.rows].find((other) => other.dataset.at <= row.dataset.at) ?? null);
      }
    }
    for (const row of added) row.classList.add("arrived");
    return added.length;
  };
  const live = async (body) => {
    if (document.hidden || body.dataset.live === "" || body.dataset.paused !== undefined) return;
    if (body.rows.length > MOST_ROWS) {
      body.dataset.live = "";
      tell(body, "The list is long by now. Load the page anew to go on.", "lost");
      return;
    }
    const url = new URL(body.dataset.live, location.href);
    url.searchParams.set("after", body.dataset.newest ?? "");
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (answer.redirected) {
      body.dataset.live = "";
      tell(body, "You are signed out. Load the page anew to go on.", "lost");
    }
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(`<table>${await answer.text()}</table>`, "text/html").querySelector("tbody");
    if (!fresh || body.dataset.paused !== undefined) return;
    localTimes(fresh);
    const count = take(body, fresh);
    if (!count) return;
    const most = fresh.dataset.whole !== undefined;
    tell(body, most ? "Many new events: these are the newest." : count === 1 ? "1 new event." : `${count} new events.`);
    document.querySelector("[data-when-empty]")?.remove();
    document.getElementById(body.dataset.shows)?.removeAttribute("hidden");
  };
  const keepLive = (body) => setTimeout(async () => {
    await live(body).catch(() => {});
    keepLive(body);
  }, 3000);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-live-pause]");
    if (!button) return;
    const body = document.getElementById(button.dataset.livePause);
    const paused = body.toggleAttribute("data-paused");
    button.setAttribute("aria-pressed", String(paused));
    tell(body, paused ? "Paused." : "New events appear here by themselves.", paused ? "paused" : "");
    if (!paused) live(body).catch(() => {});
  });

  // <section data-refresh="url" data-every="ms">: replaced by what the server says, until it is without the attribute.
  const refresh = async (section) => {
    const answer = await fetch(section.dataset.refresh, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return section;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(section.id);
    if (!fresh || section.matches(":active")) return section;
    localTimes(fresh);
    const stops = "a[href], button, input, summary";
    const focused = [...section.querySelectorAll(stops)].indexOf(document.activeElement);
    section.replaceWith(fresh);
    if (focused >= 0) fresh.querySelectorAll(stops)[focused]?.focus({ preventScroll: true });
    return fresh;
  };
  const keepFresh = (section) => {
    if (!section.dataset.refresh) return;
    const next = async () => keepFresh(document.hidden ? section : await refresh(section).catch(() => section));
    setTimeout(next, Number(section.dataset.every) || 1000);
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
  for (const body of document.querySelectorAll("tbody[data-live]")) keepLive(body);
  for (const section of document.querySelectorAll("[data-refresh]")) keepFresh(section);
  for (const element of document.querySelectorAll("[data-script]")) element.hidden = false;
  for (const element of document.querySelectorAll("[data-no-script]")) element.hidden = true;
  if (matchMedia("(max-width: 40rem)").matches) {
    for (const box of document.querySelectorAll("details[data-narrow-closed]")) box.open = false;
  }
})();
