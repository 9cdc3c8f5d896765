// Somebody who has an account. input: newPeople.
import { assert, done, input, launch, person, picture, sees, step, waiting } from "./lib.mjs";
import { examine, focused } from "./examine.mjs";
import { answer, arrived, fill, letter, link, open, totp, withKey, withPassword } from "./human.mjs";

const browser = await launch();
const { ip } = input.people;

// as runs a step in a browser of its own.
async function as(name, action, options) {
  await step(name, async () => {
    const context = await person(browser, options);
    const page = await context.newPage();
    const wrong = [];
    page.on("console", (message) => { if (/Content.Security.Policy/i.test(message.text())) { wrong.push(message.text()); } });
    try {
      await action(page, context);
      assert.deepEqual(wrong, []);
    } catch (error) {
      await picture(page, `failed-${name.replace(/[^a-z0-9]+/gi, "-")}`);
      throw error;
    } finally {
      await context.close();
    }
  });
}

// signedIn comes to the account by password.
async function signedIn(page, lang = "ru") {
  await open(page, "/account", lang);
  await withPassword(page);
  await arrived(page, "/account");
}

for (const lang of ["ru", "en"]) {
  await as(`sign-in with a password, ${lang}`, async (page) => {
    await open(page, "/account", lang);
    await page.locator("#field-login").waitFor();
    assert.equal(await page.locator("#field-login").getAttribute("autocomplete"), "username");
    assert.equal(await page.locator("#field-password").getAttribute("autocomplete"), "current-password");
    await examine(page, "people-signin");
    await withPassword(page, ip.inn, "not-the-password");
    await page.locator(".errors").waitFor();
    await examine(page, "people-signin-wrong");
    assert.equal(await page.locator("#field-login").inputValue(), ip.inn);
    assert.equal(await page.locator("#field-password").inputValue(), "");
    await withPassword(page);
    await arrived(page, "/account");
    await examine(page, "people-account");
    assert.ok((await page.locator(".who").innerText()).includes(ip.name));
  });

  await as(`pages of the account, ${lang}`, async (page) => {
    await signedIn(page, lang);
    for (const path of ["certificates", "journal", "visits", "security", "email", "taxpayer", "block"]) {
      await open(page, `/account/${path}`, lang);
      await examine(page, `people-${path}`);
    }
    await page.emulateMedia({ media: "print" });
    await open(page, "/account/journal", lang);
    await picture(page, `people-journal-${lang}-print`);
  });
}

await done(browser);
