// The way of a person from the cabinet to the cabinet, page by page.
import { assert, bilingual, input, sees, waiting } from "./lib.mjs";

export const gatewayPages = `${input.gateway}/**`;
export const agentPages = `${input.agent}/**`;

// choice clicks in the cabinet and comes to the choice page of the gateway.
export async function choice(context) {
  const page = await context.newPage();
  await page.goto(`${input.cabinet}/`);
  await page.getByRole("link", { name: /Войти с ключом/ }).click();
  await page.waitForURL(`${input.gateway}/signin?**`, { timeout: waiting });
  await bilingual(page);
  return page;
}

// toAgent goes on to the agent, which opens in a tab of its own.
export async function toAgent(page) {
  await page.locator("#choose-agent").click();
  await page.waitForURL(`${input.gateway}/signin/wait?**`, { timeout: waiting });
  const [tab] = await Promise.all([page.context().waitForEvent("page", { timeout: waiting }), page.locator("#open-agent").click()]);
  await tab.waitForURL(agentPages, { timeout: waiting });
  await bilingual(tab);
  return tab;
}

// item is the entry of a holder in a list of the agent.
export function item(tab, list, name) {
  return tab.locator(`#${list} > li`, { hasText: name });
}

// certificate chooses the certificate of a holder, and comes to the page for the PIN.
export async function certificate(tab, name) {
  await item(tab, "usable", name).getByRole("link").click();
  await tab.locator("#pin-form").waitFor({ timeout: waiting });
  await bilingual(tab);
}

export async function enter(tab, pin) {
  await tab.locator("#pin").fill(pin);
  await tab.locator("#sign").click();
}

// greeted fails unless the cabinet greets a person, as it does after the whole way.
export async function greeted(page, someone) {
  await page.waitForURL(`${input.cabinet}/**`, { timeout: waiting }).catch(async () => {
    assert.fail(`not in the cabinet but at ${page.url()}:\n${await page.locator("body").innerText()}`);
  });
  await sees(page, someone.name, someone.inn, someone.ogrnip);
}

// refused fails unless a page says why, by its code.
export async function refused(page, code) {
  await page.locator(`main[data-code="${code}"]`).waitFor({ timeout: waiting }).catch(async () => {
    assert.fail(`no ${code} at ${page.url()}:\n${await page.locator("body").innerText()}`);
  });
  await bilingual(page);
}
