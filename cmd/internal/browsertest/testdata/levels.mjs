// From service to service of the cabinet, each of which wants more. input: newPeople.
import { assert, done, input, launch, picture, sees, waiting } from "./lib.mjs";
import { examine } from "./examine.mjs";
import { alone, allowed, arrived, fill, newCode, open, withKey, withPassword } from "./human.mjs";

const browser = await launch();
const as = (name, action) => alone(browser, name, action);
const { ip } = input.people;

// chosen is the page of a service, which says its name.
async function chosen(page, id, name) {
  await page.waitForURL(`${input.cabinet}/services/${id}`, { timeout: waiting }).catch(async () => {
    assert.fail(`not at ${id} but at ${page.url()}:\n${await page.locator("body").innerText()}`);
  });
  await sees(page, name);
}

await as("codes by letter are switched on", async (page) => {
  await open(page, "/account");
  await withPassword(page);
  await arrived(page, "/account");
  await allowed(page, `ip${input.address}`);
  await page.locator('form[action="/account/security/code-by-email"] button').click();
  await page.locator(".notice.good").waitFor();
});

for (const lang of ["ru", "en"]) {
  await as(`step by step, ${lang}`, async (page) => {
    await open(page, "/", lang); // the switch stays
    await page.goto(`${input.cabinet}/login?by=password`);
    await page.waitForURL(`${input.gateway}/signin**`, { timeout: waiting });
    await examine(page, "levels-password");
    await withPassword(page);
    // A code goes by letter because codes are switched on; it counts as the second factor.
    await arrived(page, "/signin/second");
    await examine(page, "levels-second");
    await fill(page, { code: await newCode(`ip${input.address}`) });
    await page.locator("form:has(#field-code) button[type=submit]").click();
    await page.waitForURL(`${input.cabinet}/**`, { timeout: waiting });
    await sees(page, ip.name);
    await picture(page, `levels-cabinet-${lang}`);
    for (const [id, name] of [["messages", "Переписка"], ["payments", "Платежи"]]) {
      await page.goto(`${input.cabinet}/`);
      await page.locator(`a[href="/services/${id}"]`).click();
      await chosen(page, id, name);
    }
    // More is wanted in the middle of a visit.
    await page.goto(`${input.cabinet}/`);
    await page.locator('a[href="/services/declaration"]').click();
    await page.waitForURL(`${input.gateway}/signin**`, { timeout: waiting });
    await sees(page, lang === "ru" ? "Декларации" : "Tax returns");
    assert.equal(await page.locator("#choose-password").count(), 0, "a password is offered that would not do");
    await examine(page, "levels-step-up");
    const tab = await withKey(page, ip);
    await chosen(tab, "declaration", "Декларации");
    await picture(tab, `levels-declaration-${lang}`);
    // What is enough now is not asked for again, in this tab or another.
    await page.goto(`${input.cabinet}/services/payments`);
    await chosen(page, "payments", "Платежи");
    // Sign-out at the gateway ends the visit at the cabinet.
    await open(page, "/account", lang);
    await page.locator(".who form button").click();
    await page.locator(".who").waitFor({ state: "detached" });
    await examine(page, "levels-bye");
    const until = Date.now() + waiting; // the gateway tells the cabinet a moment later
    for (;;) {
      await page.goto(`${input.cabinet}/`);
      if (await page.locator('a[href="/login"]').count() > 0) {
        break;
      }
      assert.ok(Date.now() < until, "the cabinet was not told");
      await new Promise((resolve) => { setTimeout(resolve, 200); });
    }
  });

  await as(`sign-out from the cabinet, ${lang}`, async (page) => {
    await open(page, "/", lang);
    await page.goto(`${input.cabinet}/login`);
    await page.waitForURL(`${input.gateway}/signin**`, { timeout: waiting });
    const tab = await withKey(page, ip);
    await tab.waitForURL(`${input.cabinet}/**`, { timeout: waiting });
    await tab.locator('form[action="/logout"] button').click();
    await tab.waitForURL((url) => url.href.startsWith(input.gateway) || url.href === `${input.cabinet}/`, { timeout: waiting });
    if (tab.url().startsWith(input.gateway)) { // which asks
      await examine(tab, "levels-logout");
      await tab.locator("#sign-out").click();
      await tab.waitForURL(`${input.cabinet}/`, { timeout: waiting });
    }
    await tab.goto(`${input.gateway}/account`);
    await tab.locator("#field-login").waitFor({ timeout: waiting });
  });
}

await done(browser);
