// Looks at what a page can see by itself and the server cannot: the clock, whether hosts can
// be reached, the agent, plug-ins. It reports to the server, which says what it means, and
// shows the page anew. Without scripts the links of the page do most of this.
"use strict";
(() => {
  // Milliseconds: libraries of tokens and extensions take their time.
  const patience = { host: 15000, agent: 20000, plugins: 30000 };

  const copy = document.getElementById("copy");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById("report").textContent);
      copy.textContent = copy.dataset.done;
    });
  }

  const root = document.getElementById("check");
  if (!root || root.dataset.run !== "yes") {
    return;
  }
  const { key, kind, signin, agents, plugins } = root.dataset;
  const publicHost = root.dataset.public;
  const get = (url, milliseconds, options = {}) => fetch(url, {
    cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(milliseconds), ...options,
  });

  // skew is by how many seconds the clock of this computer is ahead.
  const skew = async () => {
    const from = performance.now();
    const answer = await get("/check/clock", patience.host, { credentials: "same-origin" });
    const { now } = await answer.json();
    return Math.round((Date.now() - (performance.now() - from) / 2 - now) / 1000);
  };

  // reach tells whether a host answers. A browser with GOST TLS would ask for a certificate
  // on the sign-in host, so that is left to the button then.
  const reach = async () => {
    const missed = [];
    let found = kind;
    if (publicHost) {
      try {
        found = (await (await get(`${publicHost}/check/probe?run=${key}`, patience.host)).json()).kind;
      } catch {
        missed.push("public");
      }
    }
    if (found === "ordinary") {
      await get(`${signin}/check/port`, patience.host, { mode: "no-cors" }).catch(() => missed.push("signin"));
    }
    return missed;
  };

  // shape takes what the server wants to know, and nothing else that an agent may tell.
  const shape = ({ version, readers, cards, uec, modules, broken, gateway, tokens }) => ({
    version, readers, cards, uec, modules, broken, gateway,
    tokens: tokens.map(({ model, pin, certificates, expired }) => ({ model, pin, certificates, expired })),
  });

  // agent asks the programs of this computer that may be the agent.
  const agent = async () => {
    for (const port of agents.split(",").filter(Boolean)) {
      try {
        const answer = await get(`http://127.0.0.1:${port}/environment`, patience.agent);
        if (answer.ok) {
          return shape(await answer.json());
        }
      } catch {
        // Nobody is there, or does not know this site.
      }
    }
    return null;
  };

  // lookForPlugins waits for the other script of the page.
  const lookForPlugins = () => new Promise((resolve) => {
    const place = document.getElementById("plugins");
    const done = () => resolve(place.dataset.found ? JSON.parse(place.dataset.found) : []);
    if (place.dataset.found) {
      done();
      return;
    }
    place.addEventListener("found", done);
    setTimeout(done, patience.plugins);
  });

  const main = async () => {
    document.getElementById("busy").hidden = false;
    const [ahead, missed, program, found] = await Promise.all([
      skew().catch(() => null), reach(), agents ? agent() : null, plugins ? lookForPlugins() : null,
    ]);
    const answer = await fetch(`/check/observed?run=${key}`, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        skew: ahead, missed, agent: program, agent_asked: Boolean(agents), plugins: found || [], plugins_asked: Boolean(plugins),
      }),
    });
    if (!answer.ok) {
      throw new Error(`the report was refused: ${answer.status}`);
    }
    location.replace(root.dataset.page);
  };
  main().catch(() => { document.getElementById("busy").hidden = true; });
})();
