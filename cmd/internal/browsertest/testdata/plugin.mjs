// A person signs in with a vendor's plug-in on the gateway's own page.
import { assert, done, input, launch, person, picture, sees, step, waiting } from "./lib.mjs";
import { choice, greeted } from "./flow.mjs";
import { install as installCryptoPro } from "./cryptopro.mjs";
import { install as installRutoken } from "./rutoken.mjs";

const browser = await launch();
const certificate = (id) => input.certificates.find((one) => one.id === id);

async function sign(name, id, section, prepare, then) {
  await step(name, async () => {
    const context = await person(browser);
    try {
      await prepare(context);
      const page = await choice(context);
      const wrong = [];
      page.on("pageerror", (error) => wrong.push(error.message));
      await page.locator("#choose-plugin").click();
      const plugin = page.locator(`[data-plugin="${section}"]`);
      await plugin.getByRole("button", { name: "Показать сертификаты" }).click();
      await plugin.locator("ul.certificates").waitFor({ timeout: waiting });
      await picture(page, `gateway-${section}-${id}`);
      await plugin.getByRole("button", { name: input.people[id].name }).click();
      await then(page, plugin, input.people[id]);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  });
}

for (const id of ["ip", "ip512"]) {
  await sign(`CryptoPro: ${id}`, id, "cryptopro", (context) => installCryptoPro(context, input.certificates), async (page, _, someone) => greeted(page, someone));
}
await sign("Rutoken", "ip", "rutoken", (context) => installRutoken(context, certificate("ip"), { pin: input.people.ip.pin }), async (page, plugin, someone) => {
  await picture(page, "gateway-rutoken-pin");
  await plugin.locator("input[type=password]").fill(someone.pin);
  await page.keyboard.press("Enter");
  await greeted(page, someone);
});
await sign("CryptoPro: revoked", "revoked", "cryptopro", (context) => installCryptoPro(context, input.certificates), async (page) => {
  await page.locator('main[data-code="certificate-revoked"]').waitFor({ timeout: waiting });
  await sees(page, /отозван/);
  await picture(page, "gateway-revoked");
});
await sign("CryptoPro: garbage", "ip", "cryptopro", (context) => installCryptoPro(context, input.certificates, "garbage"), async (page) => {
  await page.locator('main[data-code="signature-malformed"]').waitFor({ timeout: waiting }).catch(async () => {
    assert.fail(`${page.url()}: ${await page.locator("main").getAttribute("data-code")} ${await page.locator("main").innerText()}`);
  });
});

await done(browser);
