// The 3CX page asks the integration itself, with the cookie of who is signed in. Browsers say where
// a request comes from; the integration takes changes from this site's own pages only.

function show(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, text]) => {
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = name;
    value.textContent = text;
    return [term, value];
  }));
}

function stateOf(answer) {
  if (!answer.configured) return [["State", "not set up"]];
  return [
    ["State", answer.enabled ? "on" : "off"],
    ["Address for the PBX", answer.crmUrl],
    ["Key", `${answer.keyHint}, since ${answer.keyCreatedAt.slice(0, 10)}`],
    ["National numbers are read as", answer.defaultRegion],
  ];
}

async function ask(url, options) {
  try {
    const response = await fetch(url, options);
    const answer = await response.json();
    return response.ok ? { answer } : { problem: answer.error };
  } catch {
    return { problem: "The integration does not answer." };
  }
}

async function showState(section) {
  const { organization, prefix } = section.dataset;
  const query = new URLSearchParams({ organizationId: organization });
  const { answer, problem } = await ask(`${prefix}/setup?${query}`);
  show(section.querySelector(".state"), problem ? [["State", problem]] : stateOf(answer));
}

async function setUp(section) {
  const { organization, prefix } = section.dataset;
  const { answer, problem } = await ask(`${prefix}/setup`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ organizationId: organization }),
  });
  const place = section.querySelector(".new-key");
  place.hidden = false;
  if (problem) {
    place.textContent = problem;
    return;
  }
  const link = document.createElement("a");
  link.href = answer.downloadUrl;
  link.textContent = "Download the template";
  place.replaceChildren(`The key is ${answer.apiKey}; it is shown once. `, link);
  await showState(section);
}

for (const section of document.querySelectorAll("section[data-organization]")) {
  showState(section);
  section.querySelector(".set-up")?.addEventListener("click", () => setUp(section));
}
