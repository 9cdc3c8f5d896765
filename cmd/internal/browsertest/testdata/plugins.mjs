// Signs with the plug-ins on a page like the gateway's. input: page, pageOfDigest, host,
// people, pin.
import { assert, bilingual, done, input, launch, person, picture, sees, step, waiting } from "./lib.mjs";
import { install as installCryptoPro } from "./cryptopro.mjs";
import { install as installRutoken } from "./rutoken.mjs";

const browser = await launch();
const someone = (id) => input.people.find((one) => one.id === id);
const cryptoPro = '[data-plugin="cryptopro"]';
const rutoken = '[data-plugin="rutoken"]';
const english = (url) => `${url}?lang=en`;

// visit opens the page in a new profile, with what prepare installs.
async function visit(name, prepare, then, url = input.page) {
  await step(name, async () => {
    const context = await person(browser);
    try {
      const device = await prepare(context);
      const page = await context.newPage();
      const wrong = [];
      page.on("pageerror", (error) => wrong.push(error.message));
      page.on("console", (message) => {
        if (/Content.Security.Policy/i.test(message.text()) && !/chrome-extension/.test(message.text())) {
          wrong.push(message.text());
        }
      });
      await page.goto(url);
      await page.locator("#plugins:not([hidden])").waitFor({ timeout: waiting });
      await bilingual(page);
      await then(page, device);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  });
}

async function state(page, section, code) {
  await page.locator(`${section}[data-state="${code}"]`).waitFor({ timeout: waiting }).catch(async () => {
    assert.fail(`not ${code}: ${await page.locator("#plugins").innerText()}`);
  });
}

const show = /Показать сертификаты|Show certificates/;

async function choose(page, section, name) {
  await page.locator(section).getByRole("button", { name: show }).click();
  if (name) {
    await page.locator(section).getByRole("button", { name }).click();
  }
}

const passed = async (page, name) => {
  await page.waitForURL("**/signed", { timeout: waiting }).catch(async () => {
    assert.fail(`not signed: ${await page.locator("#plugins").innerText()}`);
  });
  await sees(page, "TOTAL-PASSED", name);
};

await visit("nothing is installed", async () => {}, async (page) => {
  await sees(page, "Плагинов в этом браузере нет");
  assert.equal(await page.locator("#plugins button").count(), 0);
  await picture(page, "plugins-absent");
  await page.goto(english(input.page));
  await sees(page, "There are no plug-ins");
});

await visit("CryptoPro signs", (context) => installCryptoPro(context, input.people), async (page, program) => {
  await choose(page, cryptoPro);
  await state(page, cryptoPro, "choosing");
  // Whoever cannot sign in is told why, before any PIN.
  for (const [id, why] of [["expired", /Срок действия истёк/], ["notyet", /Начнёт действовать/], ["ul", /юридического лица/], ["fl", /физического лица/]]) {
    const item = page.locator(`${cryptoPro} li.unusable`, { hasText: someone(id).name });
    await item.filter({ hasText: why }).first().waitFor({ timeout: waiting });
    assert.equal(await item.getByRole("button").count(), 0, id);
  }
  await picture(page, "plugins-cryptopro");
  await page.locator(cryptoPro).getByRole("button", { name: someone("ip").name }).click();
  await passed(page, someone("ip").name);
  assert.equal(program.signed, 1);
});

await visit("CryptoPro signs with a key of 512 bits, by keyboard", (context) => installCryptoPro(context, [someone("ip512")]), async (page) => {
  await page.locator(`${cryptoPro} button`).focus();
  await page.keyboard.press("Enter");
  await state(page, cryptoPro, "choosing");
  await page.keyboard.press("Enter"); // the first certificate has the focus
  await passed(page, someone("ip512").name);
});

for (const id of ["ip", "ip512"]) {
  await visit(`CryptoPro signs a digest, ${id}`, (context) => installCryptoPro(context, input.people), async (page) => {
    await choose(page, cryptoPro, someone(id).name);
    await passed(page, someone(id).name);
  }, input.pageOfDigest);
  await visit(`Rutoken signs a digest, ${id}`, (context) => installRutoken(context, someone(id), { loggedIn: true }), async (page) => {
    await choose(page, rutoken, someone(id).name);
    await passed(page, someone(id).name);
  }, input.pageOfDigest);
}

for (const [mode, code, ru, en] of [
  ["no-host", "plugin-program", /не отвечает/, /does not answer/],
  ["denied", "refused", /не разрешили/, /did not allow/],
  ["empty", "no-certificates", /Сертификатов нет/, /no certificates/],
]) {
  await visit(`CryptoPro: ${mode}`, (context) => installCryptoPro(context, input.people, mode), async (page) => {
    await choose(page, cryptoPro);
    await state(page, cryptoPro, code);
    await sees(page, ru);
    await page.locator(cryptoPro).getByRole("button", { name: show, disabled: false }).waitFor(); // he may try again
    await picture(page, `plugins-cryptopro-${mode}`);
    await page.goto(english(input.page));
    await choose(page, cryptoPro);
    await sees(page, en);
    assert.doesNotMatch(await page.locator(`${cryptoPro} .status`).innerText(), /[А-я]{3}/); // one language for a page
  });
}
for (const [mode, code, ru] of [["cancelled", "cancelled", /отменили/], ["wrong-pin", "pin", /PIN-код неверен/]]) {
  await visit(`CryptoPro: ${mode}`, (context) => installCryptoPro(context, input.people, mode), async (page) => {
    await choose(page, cryptoPro, someone("ip").name);
    await state(page, cryptoPro, code);
    await sees(page, ru);
    assert.equal(new URL(page.url()).href, input.page);
  });
}
await visit("CryptoPro: garbage", (context) => installCryptoPro(context, input.people, "garbage"), async (page) => {
  await choose(page, cryptoPro, someone("ip").name);
  await page.waitForURL("**/signed");
  await sees(page, "signature-malformed");
});
await visit("CryptoPro: none that can be used", (context) => installCryptoPro(context, [someone("expired"), { ...someone("ip"), hasKey: false }]), async (page) => {
  await choose(page, cryptoPro);
  await state(page, cryptoPro, "none-usable");
  await sees(page, /нет его закрытого ключа/);
});

await visit("Rutoken signs", (context) => installRutoken(context, someone("ip"), { pin: input.pin }), async (page, token) => {
  await choose(page, rutoken, someone("ip").name);
  await state(page, rutoken, "pin");
  await sees(page, /Осталось попыток: 10/);
  await picture(page, "plugins-rutoken-pin");
  // What is sent to the server must not have the PIN.
  const sent = [];
  page.on("request", (request) => sent.push(request.url(), request.postData() || ""));
  await page.keyboard.type(input.pin); // the field has the focus
  await page.keyboard.press("Enter");
  await passed(page, someone("ip").name);
  assert.equal(token.loggedIn, false);
  assert.ok(sent.length > 0 && !sent.some((text) => text.includes(input.pin)), "the PIN was sent");
});
await visit("Rutoken: wrong PIN", (context) => installRutoken(context, someone("ip"), { pin: input.pin, tries: 3 }), async (page, token) => {
  await choose(page, rutoken, someone("ip").name);
  await sees(page, /Осталось попыток: 3/);
  await page.locator("input[type=password]").fill("11111111");
  await page.locator(rutoken).getByRole("button", { name: "Подписать" }).click();
  await state(page, rutoken, "pin-wrong");
  await sees(page, /PIN-код неверен. Осталось попыток: 2/);
  await page.locator("input[type=password]").fill("11111111");
  await page.locator(rutoken).getByRole("button", { name: "Подписать" }).click();
  // The last try is not taken before the person has said that it may be.
  await state(page, rutoken, "pin-last");
  await page.locator("input[type=password]").fill(input.pin);
  await page.keyboard.press("Enter");
  assert.equal(token.logins.length, 2);
  await picture(page, "plugins-rutoken-last");
  await page.getByRole("checkbox").check();
  await page.locator(rutoken).getByRole("button", { name: "Подписать" }).click();
  await passed(page, someone("ip").name);
});
await visit("Rutoken signs, in English", (context) => installRutoken(context, someone("ip"), { pin: input.pin }), async (page) => {
  await page.goto(english(input.page));
  await choose(page, rutoken, someone("ip").name);
  await sees(page, /Tries left: 10/);
  await page.keyboard.type(input.pin);
  await page.locator(rutoken).getByRole("button", { name: "Sign", exact: true }).click();
  await passed(page, someone("ip").name);
});
await visit("Rutoken: locked", (context) => installRutoken(context, someone("ip"), { pin: input.pin, tries: 0 }), async (page, token) => {
  await choose(page, rutoken, someone("ip").name);
  await state(page, rutoken, "blocked");
  assert.equal(token.logins.length, 0);
});
await visit("Rutoken: logged in already", (context) => installRutoken(context, someone("ip"), { loggedIn: true }), async (page, token) => {
  await choose(page, rutoken, someone("ip").name);
  await passed(page, someone("ip").name);
  assert.deepEqual([token.logins.length, token.loggedIn], [0, true]);
});
await visit("Rutoken: extension without the program", (context) => installRutoken(context, someone("ip"), { mode: "no-host" }), async (page) => {
  await state(page, rutoken, "plugin-program");
  await sees(page, /Рутокен Плагин не установлен/);
});
await visit("Rutoken: no device", (context) => installRutoken(context, someone("ip"), { mode: "empty" }), async (page) => {
  await choose(page, rutoken);
  await state(page, rutoken, "no-certificates");
});
await visit("Rutoken: cancelled on the token", (context) => installRutoken(context, someone("ip"), { loggedIn: true, mode: "cancelled" }), async (page) => {
  await choose(page, rutoken, someone("ip").name);
  await state(page, rutoken, "cancelled");
});
await visit("both at once", async (context) => {
  await installCryptoPro(context, [someone("ip")]);
  await installRutoken(context, someone("ip512"), { loggedIn: true });
}, async (page) => {
  await page.locator("#plugins section").nth(1).waitFor(); // one may be found before the other
  assert.equal(await page.locator("#plugins section").count(), 2);
  await choose(page, rutoken, someone("ip512").name);
  await passed(page, someone("ip512").name);
});

await done(browser);
