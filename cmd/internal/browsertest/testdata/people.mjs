// Somebody who has an account. input: newPeople.
import { assert, done, input, launch, person, picture, sees, step, waiting } from "./lib.mjs";
import { examine, focused } from "./examine.mjs";
import { allowed, arrived, fill, letter, link, open, totp, withKey, withPassword } from "./human.mjs";

const browser = await launch();
const { ip, ip512: other } = input.people;

// as runs a step in a browser of its own.
async function as(name, action, options) {
  if (process.env.ONLY && !name.includes(process.env.ONLY)) { return; }
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
async function signedIn(page, lang = "ru", someone = ip) {
  await open(page, "/account", lang);
  await withPassword(page, someone.inn);
  await arrived(page, "/account");
}

// signedOut leaves by the button of the header.
async function signedOut(page) {
  await page.locator('.who form button').click();
  await page.locator(".who").waitFor({ state: "detached" });
  await page.goto(`${input.gateway}/account`);
  await page.locator("#field-login").waitFor();
}

// press presses the button of the form that posts to a path.
const press = (page, action) => page.locator(`form[action="${action}"] button[type=submit]`).click();

for (const lang of ["ru", "en"]) {
  await as(`sign-in with a password, ${lang}`, async (page) => {
    await open(page, "/account", lang);
    await page.locator("#field-login").waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), lang); // through the redirect
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
    await allowed(page, lang === "ru" ? `ip${input.address}` : "new-ru@people.example", lang);
    for (const path of ["certificates", "journal", "visits", "security", "email", "taxpayer", "block"]) {
      await open(page, `/account/${path}`, lang);
      await examine(page, `people-${path}`);
    }
    await focused(page);
    await page.emulateMedia({ media: "print" });
    await open(page, "/account/journal", lang);
    await picture(page, `people-journal-${lang}-print`);
  });

  await as(`an application with codes, ${lang}`, async (page) => {
    await signedIn(page, lang, other);
    await allowed(page, `ip512${input.address}`, lang);
    await press(page, "/account/security/application");
    await arrived(page, "/account/security/application");
    await examine(page, "people-application");
    const secret = await page.locator("code.id").first().innerText();
    await fill(page, { code: "000000" });
    await press(page, "/account/security/application/confirm");
    await page.locator(".errors").waitFor();
    await examine(page, "people-application-wrong");
    await fill(page, { code: totp(secret) });
    await press(page, "/account/security/application/confirm");
    await page.locator(".codes").waitFor();
    await examine(page, "people-recovery-codes");
    const codes = await page.locator(".codes code").allInnerTexts();
    // From now on the password is not enough.
    for (const [code, wrong] of [[() => totp(secret, 1), true], [() => codes[0], false]]) {
      await signedOut(page);
      await open(page, "/account", lang);
      await withPassword(page, other.inn);
      await arrived(page, "/signin/second");
      const kind = page.locator("#field-method, [name=method][type=radio]");
      if (wrong) {
        await examine(page, "people-second");
        if (await kind.count() > 0) {
          await kind.first().check();
        }
        await fill(page, { code: "111111" });
        await page.locator("form:has(#field-code) button[type=submit]").click();
        await page.locator(".errors").waitFor();
        await examine(page, "people-second-wrong");
      }
      const radio = page.locator(wrong ? '[name=method][value="totp"]' : '[name=method][value="recovery"]');
      if (await radio.count() > 0 && await radio.first().isVisible()) {
        await radio.first().check();
      }
      await fill(page, { code: code() });
      await page.locator("form:has(#field-code) button[type=submit]").click();
      await arrived(page, "/account");
    }
    await open(page, "/account/security", lang);
    await press(page, "/account/security/application/remove");
    await page.locator(".notice.good").waitFor();
  });

  await as(`another address, ${lang}`, async (page) => {
    await signedIn(page, lang);
    await allowed(page, lang === "ru" ? `ip${input.address}` : "new-ru@people.example", lang);
    await open(page, "/account/email", lang);
    await fill(page, { email: "not an address" });
    await page.locator("#field-email").evaluate((field) => { field.type = "text"; }); // as a browser that checks nothing
    await press(page, "/account/email");
    await page.locator(".errors").waitFor();
    await examine(page, "people-email-wrong");
    await fill(page, { email: `new-${lang}@people.example` });
    await press(page, "/account/email");
    await page.locator(".notice.good").waitFor();
    const address = link(await letter(`new-${lang}@people.example`, /./), "/account/email/confirm");
    const stranger = await (await person(browser)).newPage(); // the telephone, where letters are read
    await stranger.goto(`${address}&lang=${lang}`);
    await examine(stranger, "people-email-link");
    await press(stranger, "/account/email/confirm");
    await sees(stranger, `new-${lang}@people.example`);
    await stranger.goto(address); // it was good once
    assert.notEqual(await stranger.locator("main").getAttribute("data-code"), null);
    await examine(stranger, "people-email-link-used");
    await stranger.context().close();
  });

  await as(`visits elsewhere, ${lang}`, async (page) => {
    await signedIn(page, lang);
    const elsewhere = await (await person(browser)).newPage();
    await signedIn(elsewhere, lang);
    await open(page, "/account/visits", lang);
    await examine(page, "people-visits-two");
    await press(page, "/account/visits/end-others");
    await page.locator("h1").waitFor();
    await elsewhere.goto(`${input.gateway}/account`);
    await elsewhere.locator("#field-login").waitFor();
    await elsewhere.context().close();
  });
}

await as("recovery by letter and code word", async (page) => {
  await signedIn(page, "ru", other);
  await allowed(page, `ip512${input.address}`);
  await open(page, "/account/security/word");
  await examine(page, "people-word");
  await fill(page, { word: "синий якорь", again: "синий якорь" });
  await press(page, "/account/security/word");
  await page.locator(".notice.good").waitFor();
  await signedOut(page);
  for (const lang of ["en", "ru"]) {
    await open(page, "/recovery", lang);
    await examine(page, "people-recovery");
    await fill(page, { login: other.inn, email: `ip512${input.address}`, "code-word": "синий якорь" });
    await press(page, "/recovery");
    await page.locator("#field-code-word").waitFor({ state: "detached" });
    await examine(page, "people-recovery-sent");
  }
  const address = link(await letter(`ip512${input.address}`, /recovery/, 2), "/recovery/");
  await page.goto(address);
  await examine(page, "people-reset");
  await fill(page, { "new-password": "короткий", "repeat-password": "другой" });
  await page.locator("form:has(#field-new-password) button[type=submit]").click();
  await page.locator(".errors").waitFor();
  await examine(page, "people-reset-wrong");
  await fill(page, { "new-password": "Новая-лодка-1905", "repeat-password": "Новая-лодка-1905" });
  await page.locator("form:has(#field-new-password) button[type=submit]").click();
  await page.locator("#field-new-password").waitFor({ state: "detached" });
  await open(page, "/account");
  await withPassword(page, other.inn, "Новая-лодка-1905");
  await arrived(page, "/account");
});

await as("with the key, which is then lost", async (page) => {
  await open(page, "/account");
  const tab = await withKey(page, ip);
  await arrived(tab, "/account");
  await tab.goto(`${input.gateway}/account/certificates`);
  await examine(tab, "people-certificates-key");
  await tab.locator('a.danger[href*="sha256="]').first().click();
  await examine(tab, "people-lost");
  await press(tab, "/account/certificates/lost");
  await tab.locator("ol.steps").waitFor();
  await examine(tab, "people-lost-done");
  await open(page, "/account");
  const again = await withKey(page, ip);
  await again.locator("main.bad").waitFor();
  await examine(again, "people-key-refused");
});

await as("blocked by oneself", async (page) => {
  await signedIn(page);
  await open(page, "/account/block");
  await page.locator("#field-sure").check();
  await press(page, "/account/block");
  await page.locator(".lead").first().waitFor();
  await examine(page, "people-blocked");
  await open(page, "/account");
  await withPassword(page);
  await page.locator("main.bad, .errors").waitFor();
  await examine(page, "people-blocked-signin");
});

await done(browser);
