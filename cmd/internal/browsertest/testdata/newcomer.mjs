// Somebody whom the gateway has never seen registers: his key opens the registration, signs
// the agreement, and signs in when the address is confirmed. input: newPeople.
import { assert, done, input, launch, person, sees } from "./lib.mjs";
import { examine, inLanguage } from "./examine.mjs";
import { alone, answer, arrived, fill, letter, link, open, withKey, withPassword } from "./human.mjs";

const browser = await launch();
const as = (name, action) => alone(browser, name, action);

const next = (page, action) => page.locator(`form[action="${action}"] button[type=submit]`).first().click();

for (const [lang, id] of [["ru", "ip512"], ["en", "fl"]]) {
  const someone = input.people[id];
  const address = `${id}-${lang}@people.example`;
  await as(`from the key to the account, ${lang}`, async (page) => {
    await open(page, "/account", lang);
    const tab = await withKey(page, someone);
    await arrived(tab, "/registration");
    assert.equal(await tab.locator("html").getAttribute("lang"), lang); // by way of the agent, from another site
    await examine(tab, "newcomer-form");
    await fill(tab, { email: address });
    await tab.locator("#field-captcha").fill("0");
    await next(tab, "/registration");
    await tab.locator(".errors").waitFor();
    await examine(tab, "newcomer-form-wrong");
    assert.equal(await tab.locator("#field-email").inputValue(), address);
    await answer(tab);
    await next(tab, "/registration");
    await arrived(tab, "/registration/agreement");
    await examine(tab, "newcomer-agreement");
    assert.ok((await tab.locator("pre.text").innerText()).includes(someone.name), "the agreement does not name the person");
    // The agent opens beside, and shows the text.
    const signed = await withKey(tab, someone, 'form:has(input[value="agent"]) button[type=submit]');
    await arrived(signed, "/registration/password");
    await examine(signed, "newcomer-password");
    await fill(signed, { password: "12345678", again: "12345678" });
    await next(signed, "/registration/password");
    await signed.locator(".errors").waitFor();
    await examine(signed, "newcomer-password-wrong");
    await fill(signed, { password: "Тихая-гавань-1912", again: "Тихая-гавань-1912" });
    await next(signed, "/registration/password");
    await arrived(signed, "/registration/done");
    await examine(signed, "newcomer-done");
    await next(signed, "/registration/continue");
    await signed.locator(".notice.warn").waitFor(); // not yet
    // The letter is read elsewhere.
    const link1 = link(await letter(address, /activate/), "/activate");
    const phone = await (await person(browser)).newPage();
    await inLanguage(phone, link1, lang, "newcomer-activate");
    await next(phone, "/activate");
    await phone.locator("main.good").waitFor();
    await examine(phone, "newcomer-activated");
    await phone.goto(link1); // a link is good once
    if (await phone.locator('form[action="/activate"]').count() > 0) {
      await next(phone, "/activate");
    }
    await phone.locator("main[data-code]").waitFor();
    await examine(phone, "newcomer-activate-again");
    await phone.context().close();
    await next(signed, "/registration/continue");
    await arrived(signed, "/account");
    await sees(signed, someone.name);
    await examine(signed, "newcomer-account");
  });

  await as(`and comes back with the password, ${lang}`, async (page) => {
    await open(page, "/account", lang);
    await withPassword(page, someone.inn, "Тихая-гавань-1912");
    await arrived(page, "/account");
    await open(page, "/account/journal", lang);
    await examine(page, "newcomer-journal");
  });
}

await done(browser);
