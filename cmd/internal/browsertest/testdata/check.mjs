// The environment check page: to its end, and into the rows of the failure table that a
// browser and what is on the computer are the causes of.
import { chromium } from "playwright-core";
import { assert, done, input, launch, person, picture, sees, step, waiting } from "./lib.mjs";
import { agentPages, certificate, enter } from "./flow.mjs";
import { accessible, fits, phone, speaks } from "./examine.mjs";
import { install as installCryptoPro } from "./cryptopro.mjs";

const browser = await launch();

// begin starts a check on a host and waits until the script has reported.
async function begin(page, host, lang = "ru") {
  await page.goto(`${host}/check?lang=${lang}`);
  await page.locator("#start").click();
  await reported(page);
}

async function reported(page) {
  await page.locator('#check[data-run=""]').waitFor({ state: "attached", timeout: 3 * waiting }).catch(async () => {
    assert.fail(`the script did not report at ${page.url()}:\n${await page.locator("body").innerText()}`);
  });
}

// wants fails unless a step has a mark, and shows the rows given.
async function wants(page, number, mark, ...rows) {
  const at = page.locator(`#step-${number}`);
  await at.waitFor({ timeout: waiting });
  const got = await at.getAttribute("data-mark");
  const found = await at.locator("[data-row]").evaluateAll((all) => all.map((one) => one.dataset.row));
  assert.equal(`${got} ${rows.filter((row) => found.includes(row))}`, `${mark} ${rows}`, `step ${number}: ${got} [${found}]\n${await at.innerText()}`);
}

// visitor runs a part with a browser profile of its own, in which no script fails.
async function visitor(name, options, action) {
  await step(name, async () => {
    const context = await person(browser, options);
    try {
      const page = await context.newPage();
      const wrong = [];
      page.on("pageerror", (error) => wrong.push(error.message));
      await action(page, context);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  });
}

// fine fails unless a page can be used by all, at a desk and on a telephone.
async function fine(page, lang, name) {
  await picture(page, `${name}-${lang}`);
  await accessible(page);
  await speaks(page, lang);
  const desk = page.viewportSize();
  await page.setViewportSize(phone);
  await fits(page);
  await picture(page, `${name}-${lang}-phone`);
  await page.setViewportSize(desk);
}

// sign makes the test signature with the agent, which answers in a tab of its own; that is
// where the check goes on.
async function sign(page, someone) {
  await page.locator("#sign-agent").click();
  const [tab] = await Promise.all([page.context().waitForEvent("page", { timeout: waiting }), page.locator("#open-agent").click()]);
  await tab.waitForURL(agentPages, { timeout: waiting });
  await certificate(tab, someone.name);
  await enter(tab, someone.pin);
  await tab.waitForURL(/\/check\/run\?/, { timeout: waiting });
  return tab;
}

// From plain HTTP to the end: what a person without GOST TLS does who has a token.
for (const lang of ["ru", "en"]) {
  await visitor(`to the end: ${lang}`, {}, async (page, context) => {
    await page.goto(`${input.check}/check.php?lang=${lang}`);
    await fine(page, lang, "check-intro");
    await begin(page, input.check, lang);
    await wants(page, 1, "good");
    await wants(page, 2, "bad", "1");
    await wants(page, 3, "good");
    await fine(page, lang, "check-plain");
    await page.locator("#step-6 a.button").click();
    await page.waitForURL(`${input.gateway}/check/run?**`, { timeout: waiting });
    await page.locator("#again").click();
    await reported(page);
    await wants(page, 4, "good");
    await wants(page, 2, "warn", "1"); // the agent is there: a note
    await page.locator("#step-6 a.button").click();
    await page.locator("#sign-agent").waitFor({ timeout: waiting });
    await fine(page, lang, "check-sign");
    const tab = await sign(page, input.people.ip);
    await wants(tab, 5, "good");
    await wants(tab, 6, "good");
    await wants(tab, 2, "warn", "1");
    await tab.locator("#next").waitFor({ timeout: waiting });
    assert.equal(await tab.locator("html").getAttribute("lang"), lang);
    const text = await tab.locator("body").innerText();
    for (const secret of [input.people.ip.name, input.people.ip.inn]) {
      assert.ok(!text.includes(secret), `${secret} is on the page`);
    }
    await fine(tab, lang, "check-ready");
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await tab.locator("#result").click();
    await tab.locator("#copy").click();
    const code = await tab.locator("#check-code").innerText();
    assert.match(await tab.evaluate(() => navigator.clipboard.readText()), new RegExp(`^Проверка ${code},`));
    await fine(tab, lang, "check-result");
    await tab.goBack();
    await tab.locator("#field-text").fill("0x800B010A");
    await tab.keyboard.press("Enter");
    await tab.locator('section[data-row="10"]').waitFor({ timeout: waiting });
    await fine(tab, lang, "check-message");
  });
}

await visitor("rows 9 and 24 are of certificates: a company signs", {}, async (page) => {
  await begin(page, input.gateway);
  await page.locator("#step-6 a.button").click();
  const tab = await sign(page, input.people.ul);
  await wants(tab, 6, "bad", "9");
  await sees(tab, /Кабинет ЮЛ/);
  assert.equal(await tab.locator("#next").count(), 0);
});

await visitor("row 36: the clock is an hour ahead", {}, async (page) => {
  await page.clock.setSystemTime(new Date(Date.now() + 3600_000));
  await begin(page, input.gateway);
  await wants(page, 1, "bad", "36");
});

await visitor("row A1: the agent is stopped", {}, async (page) => {
  await begin(page, input.alone);
  await wants(page, 4, "bad", "A1", "18");
});

await visitor("row 27: no token", {}, async (page) => {
  await begin(page, input.bare);
  await wants(page, 4, "bad", "27");
});

const plugin = (name, row, at, mode, change = () => {}) => visitor(name, {}, async (page, context) => {
  const program = await installCryptoPro(context, structuredClone(input.certificates), mode);
  change(program);
  await begin(page, input.alone); // without an agent
  await wants(page, at, "bad", row);
});
await plugin("row 2: CSP 4.0", "2", 2, "", (program) => { program.csp = "4.0.9963"; });
await plugin("row 3: CSP 5.0.13000", "3", 2, "", (program) => { program.csp = "5.0.13000"; });
await plugin("row 16: an old plug-in", "16", 4, "", (program) => { program.version = "2.0.13292"; });
await plugin("row 18: access refused", "18", 4, "denied");
await plugin("row 19: no certificates", "19", 4, "empty");
await plugin("row 20: certificates without keys", "20", 4, "", (program) => { program.people.forEach((one) => { one.hasKey = false; }); });
await plugin("row A4: the program of the plug-in is missing", "A4", 4, "no-host");
await visitor("row 29: many certificates are over", {}, async (page, context) => {
  const old = input.certificates.find((one) => one.id === "expired");
  await installCryptoPro(context, [...input.certificates, old, old, old, old]);
  await begin(page, input.alone);
  await wants(page, 4, "warn", "29");
});
await visitor("a plug-in is enough", {}, async (page, context) => {
  await installCryptoPro(context, input.certificates);
  await begin(page, input.alone);
  await wants(page, 4, "good");
});

await step("row 30: a proxy opens connections", async () => {
  const behind = await launch();
  try {
    const context = await person(behind, { proxy: { server: input.proxy } });
    const page = await context.newPage();
    await begin(page, input.gateway);
    await wants(page, 2, "bad", "30");
    await picture(page, "check-intercepted");
  } finally {
    await behind.close();
  }
});

await step("row 33: cookies are off", async () => {
  const context = await chromium.launchPersistentContext(input.profile, {
    executablePath: input.chromium, headless: true, ignoreHTTPSErrors: true, args: ["--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(waiting);
    for (const host of [input.check, input.gateway]) {
      await begin(page, host);
      await wants(page, 3, "bad", "33");
    }
    await picture(page, "check-cookies-off");
    await page.locator("#result").click();
    assert.match(await page.locator("#report").innerText(), /\[33\]/);
  } finally {
    await context.close();
  }
});

await visitor("without scripts", { javaScriptEnabled: false }, async (page) => {
  await page.goto(`${input.check}/check`);
  await page.locator("#start").click();
  await wants(page, 2, "none");
  await page.locator("#step-2 a.button").first().click(); // there and back
  await wants(page, 2, "bad", "1");
  await wants(page, 3, "good");
  await page.locator("#step-7 a.button").first().click();
  await wants(page, 7, "bad", "");
  await page.locator("#result").click();
  assert.match(await page.locator("#report").innerText(), /\[1\]/);
  await page.goBack();
  await page.locator("#field-text").fill("0x800B0109");
  await page.keyboard.press("Enter");
  await page.locator('section[data-row="11"]').waitFor({ timeout: waiting });
});

await done(browser);
