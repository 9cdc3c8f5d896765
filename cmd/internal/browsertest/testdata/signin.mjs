// A person signs in through the agent: input.signer with whatever token the agent sees,
// and, if there are soft tokens, everything that may be in the way.
import { assert, done, input, launch, person, picture, sees, step, waiting } from "./lib.mjs";
import { certificate, choice, enter, greeted, item, toAgent } from "./flow.mjs";

// The page is in "public" address space, as that of a real gateway is, and the agent on
// the loopback: a browser that guards local networks must let the flow pass unasked.
const browser = await launch(`--ip-address-space-overrides=127.0.0.1:${new URL(input.gateway).port}=public`);
const signer = input.people[input.signer];

async function profile(name, action, options) {
  await step(name, async () => {
    const context = await person(browser, options);
    try {
      await action(context);
    } finally {
      await context.close();
    }
  });
}

await profile("from the click to the greeting", async (context) => {
  const referers = [];
  context.on("request", async (request) => {
    const { referer } = await request.allHeaders().catch(() => ({}));
    referers.push([request.url(), referer || ""]);
  });
  const page = await choice(context);
  await picture(page, `${input.pictures}-choice`);
  const tab = await toAgent(page);
  await sees(tab, input.gateway, /Личный кабинет/);
  await picture(page, `${input.pictures}-wait`);
  await picture(tab, `${input.pictures}-agent`);
  await certificate(tab, signer.name);
  assert.equal(await tab.locator("#phrase").innerText(), input.phrase);
  await picture(tab, `${input.pictures}-pin`);
  await enter(tab, signer.pin);
  await greeted(tab, signer);
  await picture(tab, `${input.pictures}-cabinet`);
  // The tab that stayed knows.
  await sees(page, /в другой вкладке/);
  // Nobody learns from Referer what the agent was asked.
  const told = referers.filter(([url, referer]) => (referer.startsWith(input.agent) && !url.startsWith(input.agent)) || /[?&](request|state)=/.test(referer));
  assert.deepEqual(told, []);
  // No address of a page had the PIN.
  assert.ok(!referers.some(([url]) => url.includes(signer.pin)));
  // No permission was granted, and none was needed.
  assert.equal(await page.evaluate(() => navigator.permissions.query({ name: "loopback-network" }).then(({ state }) => state, () => "prompt")), "prompt");
});

if (!input.brief) {
  await profile("by keyboard alone", async (context) => {
    // tabTo presses Tab until something has the focus, as somebody without a mouse does.
    const tabTo = async (page, selector) => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate((wanted) => Boolean(document.activeElement?.matches(wanted)), selector)) {
          return;
        }
      }
      assert.fail(`${selector} cannot be reached with Tab on ${page.url()}`);
    };
    const page = await context.newPage();
    await page.goto(`${input.cabinet}/`);
    await tabTo(page, 'a[href="/login"]');
    await page.keyboard.press("Enter");
    await page.waitForURL(`${input.gateway}/signin?**`);
    await tabTo(page, "#choose-agent");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${input.gateway}/signin/wait?**`);
    await tabTo(page, "#open-agent");
    const [tab] = await Promise.all([context.waitForEvent("page"), page.keyboard.press("Enter")]);
    await tab.waitForURL(`${input.agent}/**`);
    await tabTo(tab, `#usable a[aria-label*="${signer.name}"]`);
    await tab.keyboard.press("Enter");
    await tab.locator("#pin-form").waitFor();
    await tab.waitForFunction(() => document.activeElement?.id === "pin", undefined, { timeout: 30000 }); // the page has the focus there
    await tab.keyboard.type(signer.pin);
    await tab.keyboard.press("Enter");
    await greeted(tab, signer);
  });

  await profile("without scripts on the gateway's pages", async (context) => {
    const page = await choice(context);
    await page.locator("#choose-agent").click();
    const [tab] = await Promise.all([context.waitForEvent("page"), page.locator("#open-agent").click()]);
    await tab.waitForURL(`${input.agent}/**`);
    await certificate(tab, signer.name);
    await enter(tab, signer.pin);
    await tab.getByRole("button", { name: /Вернуться в сервис/ }).click(); // by hand: nothing does it by itself
    await greeted(tab, signer);
  }, { javaScriptEnabled: false });

  await profile("cancelled", async (context) => {
    const tab = await toAgent(await choice(context));
    await tab.locator("#cancel").click();
    await tab.locator('main[data-code="challenge-cancelled"]').waitFor({ timeout: waiting });
    await picture(tab, `${input.pictures}-cancelled`);
  });
}

if (input.unusable) {
  await profile("certificates that cannot be used", async (context) => {
    const tab = await toAgent(await choice(context));
    for (const [id, [code, text]] of Object.entries(input.unusable)) {
      const { name } = input.people[id];
      const entry = item(tab, "unusable", name);
      assert.equal(await entry.count(), 1, `${id} is not among those that cannot be used:\n${await tab.locator("main").innerText()}`);
      assert.equal(await entry.getAttribute("data-code"), code, id);
      assert.match(await entry.innerText(), new RegExp(text, "i"));
      assert.equal(await item(tab, "usable", name).count(), 0, id);
    }
    await picture(tab, "unusable");
  });
}

for (const [id, text] of Object.entries(input.refused || {})) {
  await profile(`refused by the gateway: ${id}`, async (context) => {
    const { name, pin, expect } = input.people[id];
    const tab = await toAgent(await choice(context));
    await certificate(tab, name);
    await enter(tab, pin);
    await tab.locator(`main[data-code="${expect}"]`).waitFor({ timeout: waiting });
    await sees(tab, new RegExp(text, "i"), name);
    await picture(tab, `refused-${id}`);
  });
}

if (input.clumsy) {
  await profile("wrong PIN", async (context) => {
    const someone = input.people[input.clumsy];
    const tab = await toAgent(await choice(context));
    await certificate(tab, someone.name);
    const left = async () => Number((await tab.locator("#tries strong").innerText({ timeout: waiting })).trim());
    const tries = await left();
    await enter(tab, "00000000");
    await sees(tab, /неверн/i, /wrong/i);
    await picture(tab, "pin-wrong");
    assert.equal(await left(), tries - 1);
    for (let i = tries - 1; i > 1; i--) {
      await enter(tab, "00000000");
      await tab.waitForFunction((want) => document.querySelector("#tries strong")?.textContent.trim() === String(want), i - 1, { timeout: waiting });
    }
    // The last try is taken only after the person has said so.
    await tab.locator("#pin").fill(someone.pin);
    await tab.locator("#sign").click();
    assert.equal(await tab.locator("#last_try").evaluate((box) => box.validity.valueMissing), true);
    await picture(tab, "pin-last");
    await tab.locator("#last_try").check();
    await tab.locator("#sign").click();
    await greeted(tab, someone);
  });
}

await done(browser);
