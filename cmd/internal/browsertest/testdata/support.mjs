// People ask the support for help: with what is wrong at first, with a key that they should
// not send, with a picture of the screen and a certificate; and once more when they are signed
// in. And somebody is called like a script. input: newPeople, and key, certificate, hostile.
import { assert, done, input, launch, picture, sees } from "./lib.mjs";
import { examine, inLanguage } from "./examine.mjs";
import { alone, answer, arrived, fill, letter, open, withKey, withPassword } from "./human.mjs";

const browser = await launch();
const as = (name, action) => alone(browser, name, action);

const send = (page) => page.locator('form[action="/support"] button[type=submit]').click();
const key = { name: "ivan.pem", mimeType: "application/x-pem-file", buffer: Buffer.from(input.key) };
const certificate = { name: "ivan.cer", mimeType: "application/pkix-cert", buffer: Buffer.from(input.certificate, "base64") };

for (const lang of ["ru", "en"]) {
  const address = `question-${lang}@people.example`;
  await as(`a stranger asks, ${lang}`, async (page) => {
    await open(page, "/support?check=7K3F-9QX2-M4TD", lang);
    await examine(page, "support-form");
    assert.equal(await page.locator("#field-check").inputValue(), "7K3F-9QX2-M4TD");
    await fill(page, { name: "Иванов Иван", inn: "123456789012", email: address, text: "<b>Не вижу окна</b> выбора сертификата." });
    await page.locator("#field-files").setInputFiles(key);
    await answer(page);
    await send(page);
    await page.locator(".errors").waitFor();
    await examine(page, "support-form-wrong");
    for (const field of ["inn", "files"]) {
      await page.locator(`.errors a[href="#field-${field}"]`).waitFor();
      await page.locator(`#field-${field}-error`).waitFor();
    }
    assert.equal(await page.locator("#field-email").inputValue(), address);
    assert.equal(await page.locator("fieldset.captcha").count(), 0, "asked twice whether he is a program");
    // What he sees is what he sends.
    const shot = { name: "экран.png", mimeType: "image/png", buffer: await page.screenshot() };
    await fill(page, { inn: "" });
    await page.locator("#field-files").setInputFiles([shot, certificate]);
    await send(page);
    await arrived(page, "/support/done");
    await examine(page, "support-done");
    const number = await page.locator("main code.id").innerText();
    const came = await letter(address, new RegExp(number));
    assert.ok(!came.text.includes("<b>"), "the letter says what a stranger wrote");
    await inLanguage(page, page.url(), lang === "ru" ? "en" : "ru", "support-done-other");
  });

  await as(`somebody with an account asks, ${lang}`, async (page) => {
    await open(page, "/account", lang);
    const tab = await withKey(page, input.people.ip);
    await arrived(tab, "/account");
    await open(tab, "/support", lang);
    await examine(tab, "support-known");
    await sees(tab, input.people.ip.name);
    assert.equal(await tab.locator("#field-name").count(), 0, "asked for a name that is known");
    await fill(tab, { text: "Не вижу своих сертификатов." });
    await answer(tab);
    await send(tab);
    await arrived(tab, "/support/done");
  });
}

await as("a name that is a script is only shown", async (page) => {
  await open(page, "/account");
  await withPassword(page, input.people.ip512.inn, input.secret);
  await arrived(page, "/account");
  for (const path of ["/account", "/account/visits", "/account/security", "/account/taxpayer", "/support"]) {
    await open(page, path);
    await sees(page, input.hostile);
    assert.notEqual(await page.title(), "pwned", path);
    assert.equal(await page.locator("img[onerror]").count(), 0, path);
  }
});

await done(browser);
