// What attackers try with the browser of a person, and what becomes of it.
import http from "node:http";
import { assert, done, input, launch, person, step, waiting } from "./lib.mjs";
import { certificate, choice, enter, greeted, refused, toAgent } from "./flow.mjs";

const site = http.createServer((request, response) => {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end("<!doctype html><html lang=ru><title>attacker</title><h1>Выиграйте приз</h1>");
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
const { port } = site.address();
const agentPort = new URL(input.agent).port;
const near = `http://127.0.0.1:${port}/`; // a site on the same machine: nothing guards the agent but the agent
const far = `http://attacker.test:${port}/`;

const browser = await launch("--host-resolver-rules=MAP attacker.test 127.0.0.1");
const guarded = await launch("--host-resolver-rules=MAP attacker.test 127.0.0.1", `--ip-address-space-overrides=127.0.0.1:${port}=public`);
const victim = input.people.ip;

async function attack(name, action, by = browser) {
  await step(name, async () => {
    const context = await person(by);
    try {
      await action(context);
    } finally {
      await context.close();
    }
  });
}

async function at(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

// begun begins a sign-in and returns its state and the address of the agent with the
// request.
async function begun(context) {
  const page = await choice(context);
  await page.locator("#choose-agent").click();
  await page.waitForURL("**/signin/wait?**");
  const state = new URL(page.url()).searchParams.get("state");
  const open = new URL(await page.locator("#open-agent").getAttribute("href"), page.url()).href;
  const response = await context.request.get(open, { maxRedirects: 0 });
  return { state, address: response.headers().location };
}

async function notSignedIn(context) {
  const page = await at(context, `${input.cabinet}/`);
  assert.ok(!(await page.locator("body").innerText()).includes(victim.inn), "the attacker is in the cabinet");
}

// The attacker begins, the victim signs. Neither may be signed in.
await attack("the attacker's sign-in in the victim's browser", async (attacker) => {
  const { state, address } = await begun(attacker);
  const lured = await person(browser);
  try {
    const tab = await at(lured, address);
    await certificate(tab, victim.name);
    await enter(tab, victim.pin);
    await refused(tab, "challenge-other-browser");
    await notSignedIn(lured);
  } finally {
    await lured.close();
  }
  const page = await at(attacker, `${input.gateway}/signed?state=${state}`);
  const code = await page.locator("main").getAttribute("data-code");
  assert.match(code, /^challenge-/);
  await notSignedIn(attacker);
});

await attack("an answer that comes twice", async (context) => {
  const tab = await toAgent(await choice(context));
  const signed = context.waitForEvent("request", (request) => request.method() === "POST" && request.url() === `${input.gateway}/signed`);
  await certificate(tab, victim.name);
  await enter(tab, victim.pin);
  const answer = (await signed).postData();
  await greeted(tab, victim);
  for (const where of [context, await person(browser)]) {
    const page = await at(where, near);
    await Promise.all([page.waitForURL(`${input.gateway}/**`), page.evaluate(([url, text]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url });
      for (const [name, value] of new URLSearchParams(text)) {
        form.append(Object.assign(document.createElement("input"), { name, value }));
      }
      document.body.append(form);
      form.submit();
    }, [`${input.gateway}/signed`, answer])]);
    const code = await page.locator("main").getAttribute("data-code");
    assert.match(code, /^challenge-/);
    if (where !== context) {
      await notSignedIn(where);
      await where.close();
    }
  }
});

await attack("a request that comes to the agent twice", async (context) => {
  const { address } = await begun(context);
  const first = await at(context, address);
  await certificate(first, victim.name);
  await enter(first, victim.pin);
  await greeted(first, victim);
  await refused(await at(context, address), "agent-request-used");
});

await attack("another name for the agent's address", async (context) => {
  for (const path of ["/", "/sign?request=x"]) {
    await refused(await at(context, `http://attacker.test:${agentPort}${path}`), "agent-host-wrong");
  }
});

await attack("the attacker's own request", async (context) => {
  const { address } = await begun(context);
  const [head, , signature] = new URL(address).searchParams.get("request").split(".");
  const forged = Buffer.from(JSON.stringify({ iss: far, return_to: far })).toString("base64url");
  for (const request of [`${head}.${forged}.${signature}`, `${Buffer.from('{"alg":"none"}').toString("base64url")}.${forged}.`, "x"]) {
    const page = await at(context, `${input.agent}/sign?request=${request}`);
    assert.match(await page.locator("main").getAttribute("data-code"), /^sign-request-/);
    // Who squats on the port of the agent would have to show the phrase, and nobody who
    // is not enrolled gets to see it.
    const text = await page.content();
    assert.ok(!text.includes(input.phrase) && !text.includes(victim.name));
  }
  const home = await at(context, `${input.agent}/`);
  assert.ok(!(await home.content()).includes(input.phrase));
});

for (const [name, page] of [["agent", `${input.agent}/`], ["gateway", `${input.gateway}/`]]) {
  await attack(`a frame around the ${name}`, async (context) => {
    const attacker = await at(context, near);
    const refusedBy = attacker.waitForEvent("console", (message) => /frame|X-Frame-Options/i.test(message.text()));
    await attacker.evaluate((src) => document.body.append(Object.assign(document.createElement("iframe"), { src })), page);
    await refusedBy;
    for (const frame of attacker.frames().slice(1)) {
      assert.ok(!/[А-я]{3}/.test(await frame.locator("body").innerText().catch(() => "")), "the frame shows the page");
    }
  });
}

// reach tries what a script can, and returns what it learnt.
const reach = (agent) => Promise.all([
  fetch(`${agent}/status`).then((r) => r.text(), () => ""),
  fetch(`${agent}/sign?request=x`, { method: "POST", body: "request=x" }).then((r) => r.text(), () => ""),
  fetch(`${agent}/`, { mode: "no-cors", credentials: "include" }).then((r) => r.text().catch(() => ""), () => ""),
  new Promise((resolve) => {
    const socket = new WebSocket(`${agent.replace("http", "ws")}/sign`);
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("");
  }),
  new Promise((resolve) => {
    const script = Object.assign(document.createElement("script"), { src: `${agent}/sign?request=x` });
    script.onload = () => resolve("script");
    script.onerror = () => resolve("");
    document.head.append(script);
  }),
  new Promise((resolve) => {
    const image = Object.assign(new Image(), { src: `${agent}/` });
    image.onload = () => resolve("image");
    image.onerror = () => resolve("");
  }),
]);

await attack("scripts of a site on the same machine", async (context) => {
  const page = await at(context, near);
  assert.deepEqual(await page.evaluate(reach, input.agent), ["", "", "", "", "", ""]);
});

// A browser that guards local networks does not even ask the agent.
await attack("scripts of a site on the internet", async (context) => {
  const page = await at(context, far);
  const tried = page.evaluate(reach, input.agent).catch(() => []);
  const answer = await Promise.race([tried, new Promise((resolve) => { setTimeout(resolve, 3000, []); })]);
  assert.ok(answer.every((one) => one === ""), `${answer}`);
}, guarded);

await attack("a form of a foreign site", async (context) => {
  // A visit that is real, of the victim, in this browser.
  const { address } = await begun(context);
  const tab = await at(context, address);
  await certificate(tab, victim.name);
  const visit = new URL(tab.url()).pathname;
  for (const target of [visit, visit.replace(/pin$/, "cancel")]) {
    const page = await at(context, near);
    await Promise.all([page.waitForURL(`${input.agent}/**`), page.evaluate(([action, pin]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action });
      form.append(Object.assign(document.createElement("input"), { name: "pin", value: pin }));
      document.body.append(form);
      form.submit();
    }, [input.agent + target, victim.pin])]);
    await refused(page, "agent-origin-foreign");
  }
  // The victim goes on as if nothing had happened: no try was used, nothing was cancelled.
  await enter(tab, victim.pin);
  await greeted(tab, victim);
});

await attack("a window of the agent that a site opened", async (context) => {
  const page = await at(context, near);
  const { address } = await begun(context);
  const [opened] = await Promise.all([context.waitForEvent("page"), page.evaluate((url) => { window.prey = window.open(url); }, address)]);
  await opened.waitForURL(`${input.agent}/**`, { timeout: waiting });
  // The site has lost the window: it can neither read it nor lead it elsewhere. The
  // browser tells the site's own process a moment later.
  await page.waitForFunction(() => window.prey.closed === true, undefined, { timeout: waiting });
});

await guarded.close();
site.close();
await done(browser);
