// Somebody who needs more in the middle of a visit, and leaves. input: newPeople.
import { assert, done, input, launch, person, picture, sees, step, waiting } from "./lib.mjs";
import { examine, focused } from "./examine.mjs";
import { withKey, withPassword } from "./human.mjs";

const browser = await launch();
const { ip, ip512: other } = input.people;

// as runs a step in a browser of its own, whose pages are in a language.
async function as(name, lang, action) {
  await step(`${name}, ${lang}`, async () => {
    const context = await person(browser);
    const page = await context.newPage();
    const wrong = [];
    page.on("console", (message) => { if (/Content.Security.Policy/i.test(message.text())) { wrong.push(message.text()); } });
    try {
      await page.goto(`${input.gateway}/?lang=${lang}`);
      await action(page, context);
      assert.deepEqual(wrong, []);
    } catch (error) {
      await picture(page, `failed-${name.replace(/[^a-z0-9]+/gi, "-")}-${lang}`);
      throw error;
    } finally {
      await context.close();
    }
  });
}

// at waits for an address.
async function at(page, address) {
  await page.waitForURL((url) => url.href.startsWith(address), { timeout: waiting }).catch(async () => {
    assert.fail(`not at ${address} but at ${page.url()}:\n${await page.locator("body").innerText()}`);
  });
}

// inCabinet signs in by password and comes to the services.
async function inCabinet(page, someone = ip) {
  await page.goto(`${input.cabinet}/`);
  await page.getByRole("link", { name: /по логину и паролю/ }).click();
  await at(page, `${input.gateway}/signin?`);
  await withPassword(page, someone.inn);
  await at(page, `${input.cabinet}/`);
  await sees(page, someone.name);
}

const service = (page, name) => page.locator(".menu").getByRole("link", { name }).click();

for (const lang of ["ru", "en"]) {
  await as("to a service that wants a key", lang, async (page) => {
    await inCabinet(page);
    await picture(page, `stepup-cabinet-${lang}`);
    await service(page, "Переписка");
    await at(page, `${input.cabinet}/services/messages`);
    await page.goBack();
    await service(page, "Декларации");
    await at(page, `${input.gateway}/signin?`);
    assert.equal(await page.locator("#field-password").count(), 0);
    await sees(page, lang === "ru" ? "«Декларации» принимает только вход с ключом" : "“Tax returns” takes only the key", ip.name);
    await examine(page, "stepup-key");
    await focused(page);
    const tab = await withKey(page, ip);
    await at(tab, `${input.cabinet}/services/declaration`);
    await sees(tab, "urn:propusk:acr:qes", ip.name);
    await picture(tab, `stepup-service-${lang}`);
    // Whoever has proven a key is asked for nothing less.
    await tab.goto(`${input.cabinet}/services/payments`);
    await at(tab, `${input.cabinet}/services/payments`);
  });

  await as("to a service that wants a code", lang, async (page) => {
    await inCabinet(page, other);
    await service(page, "Платежи");
    await at(page, `${input.gateway}/signin?`);
    await page.locator("#choose-second").waitFor();
    await examine(page, "stepup-second");
  });

  await as("with the key of somebody else", lang, async (page) => {
    await inCabinet(page);
    await service(page, "Декларации");
    await at(page, `${input.gateway}/signin?`);
    const tab = await withKey(page, other);
    await tab.locator('main[data-code="visit-other-account"]').waitFor({ timeout: waiting });
    await examine(tab, "stepup-other");
    await page.goto(`${input.cabinet}/`);
    await sees(page, ip.name, "urn:propusk:acr:password");
  });

  await as("out, here", lang, async (page) => {
    await inCabinet(page);
    const leave = () => page.getByRole("button", { name: /Выйти/ }).click();
    await leave();
    await at(page, `${input.gateway}/logout?`);
    await examine(page, "stepup-logout");
    await page.locator("#stay").click();
    await at(page, `${input.cabinet}/`);
    await page.getByRole("link", { name: /по логину и паролю/ }).click(); // the gateway knows
    await at(page, `${input.cabinet}/`);
    await sees(page, ip.name);
    await leave();
    await page.locator("#sign-out").click();
    await at(page, `${input.cabinet}/`);
    await page.getByRole("link", { name: /по логину и паролю/ }).click();
    await page.locator("#field-login").waitFor({ timeout: waiting });
    await page.goto(`${input.gateway}/logout`);
    await examine(page, "stepup-bye");
  });

  await as("out, from afar", lang, async (page) => {
    await inCabinet(page);
    const context = await person(browser);
    const elsewhere = await context.newPage();
    await inCabinet(elsewhere);
    await elsewhere.goto(`${input.gateway}/account/visits?lang=${lang}`);
    await elsewhere.locator('form[action="/account/visits/end-others"] button[type=submit]').click();
    await elsewhere.locator("h1").waitFor();
    // The gateway tells the cabinet, behind the back of the browser.
    const until = Date.now() + waiting;
    do {
      await page.goto(`${input.cabinet}/`);
    } while ((await page.locator("body").innerText()).includes(ip.name) && Date.now() < until);
    assert.ok(!(await page.locator("body").innerText()).includes(ip.name), "the cabinet was not told");
    await elsewhere.goto(`${input.cabinet}/`);
    await sees(elsewhere, ip.name);
    await context.close();
  });
}

await done(browser);
