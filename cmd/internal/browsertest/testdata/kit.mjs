// Everything that pages are built of. input: kit.
import { assert, done, input, launch, person, picture, sees, step } from "./lib.mjs";
import { accessible, examine, focused, inLanguage } from "./examine.mjs";

const browser = await launch();

async function visit(name, action, options) {
  await step(name, async () => {
    const context = await person(browser, options);
    try {
      const page = await context.newPage();
      const wrong = [];
      page.on("console", (message) => { if (/Content.Security.Policy/i.test(message.text())) { wrong.push(message.text()); } });
      page.on("requestfailed", (request) => wrong.push(request.url()));
      page.on("request", (request) => { if (!request.url().startsWith(input.kit)) { wrong.push(`elsewhere: ${request.url()}`); } });
      await action(page, context);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  });
}

const wrongForm = async (page) => {
  await page.goto(`${input.kit}/?lang=ru`);
  await page.locator("#field-email").fill("someone@example.ru");
  await page.locator("#field-password").fill("пароль-который-никому");
  await page.locator("#field-captcha").fill("12345");
  await page.getByRole("button", { name: "Продолжить" }).click();
  await page.locator(".errors").waitFor();
};

for (const lang of ["ru", "en"]) {
  await visit(`nothing wrong, ${lang}`, (page) => inLanguage(page, `${input.kit}/`, lang, "kit"));
}

await visit("all wrong", async (page) => {
  await wrongForm(page);
  await examine(page, "kit-wrong");
  assert.match(await page.title(), /^Ошибка: /);
  assert.equal(await page.locator("#field-email").inputValue(), "someone@example.ru");
  for (const secret of ["password", "code", "captcha"]) {
    assert.equal(await page.locator(`#field-${secret}`).inputValue(), "", secret);
  }
  assert.ok(!(await page.content()).includes("пароль-который-никому"));
  // Each line of the list leads to its field, which says the same.
  for (const link of await page.locator(".errors a").all()) {
    await link.focus();
    await page.keyboard.press("Enter");
    const target = (await link.getAttribute("href")).slice(1);
    await page.waitForFunction((id) => document.activeElement?.id === id, target);
  }
  for (const one of await page.locator('[aria-invalid="true"]').all()) {
    const ids = (await one.getAttribute("aria-describedby")).split(" ");
    assert.match(await page.locator(`#${ids[0]}`).innerText(), /Проверьте это поле/);
  }
  // The switch leads to a page that can be asked for.
  await page.getByRole("link", { name: "English" }).click();
  await sees(page, "What pages are made of");
  assert.equal(new URL(page.url()).pathname, "/");
  await page.goto(`${input.kit}/`);
  await sees(page, "What pages are made of"); // it stays
  await page.getByRole("link", { name: "Русский" }).click();
  await sees(page, "Всё, из чего сделаны страницы");
});

await visit("by keyboard", async (page) => {
  await wrongForm(page);
  await focused(page);
  await page.evaluate(() => { document.activeElement?.blur(); window.scrollTo(0, 0); });
  await page.reload();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(new URL(page.url()).hash, "#main");
});

await visit("without scripts", async (page) => {
  await page.goto(`${input.kit}/`);
  await page.locator("#field-email").fill("a@example.ru");
  await page.locator("#field-captcha").fill("1");
  await page.getByRole("button", { name: "Продолжить" }).click();
  await sees(page, "Исправьте ошибки");
}, { javaScriptEnabled: false });

for (const [name, media] of [["contrast", { contrast: "more" }], ["forced", { forcedColors: "active" }], ["print", { media: "print" }]]) {
  await visit(name, async (page) => {
    await wrongForm(page);
    await page.emulateMedia(media);
    await picture(page, `kit-${name}`);
    if (name === "print") {
      assert.equal(await page.locator(".buttons, .who nav, .language, .skip").evaluateAll((all) => all.filter((one) => one.checkVisibility()).length), 0);
      return;
    }
    await accessible(page);
  });
}

// Letters twice as large, as people set them who see badly (WCAG 2.2, 1.4.4 and 1.4.10).
await visit("letters twice as large", async (page) => {
  await page.setViewportSize({ width: 500, height: 900 });
  await page.goto(`${input.kit}/`);
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  const wide = await page.evaluate(() => [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".table, .skip, .hidden")).map((one) => one.outerHTML.slice(0, 120)));
  assert.deepEqual(wide, [], "the page must be moved sideways");
  await picture(page, "kit-large");
});

await done(browser);
