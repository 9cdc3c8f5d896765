// What people do on the pages of the gateway, and elsewhere: they type, read letters, look
// at their telephones.
import { createHmac } from "node:crypto";
import { assert, input, person, picture, step, waiting } from "./lib.mjs";
import { certificate, enter } from "./flow.mjs";

// words are those of buttons and links in both languages.
export const words = {
  signIn: /^(Войти по паролю|Sign in with the password|Войти|Sign in)$/,
  next: /^(Далее|Next)$/,
};

// alone runs a step in a browser of its own, and keeps what its pages look like when it fails.
export async function alone(browser, name, action) {
  await step(name, async () => {
    const context = await person(browser);
    const page = await context.newPage();
    try {
      await action(page, context);
    } catch (error) {
      for (const [i, open] of context.pages().entries()) {
        await picture(open, `failed-${name.replace(/[^a-z0-9]+/gi, "-")}-${i}`);
      }
      throw error;
    } finally {
      await context.close();
    }
  });
}

// arrived waits for a page of the gateway with a path.
export async function arrived(page, path) {
  await page.waitForURL((url) => url.pathname === path, { timeout: waiting }).catch(async () => {
    assert.fail(`not at ${path} but at ${page.url()}:\n${await page.locator("body").innerText()}`);
  });
}

// fill types into the fields of a page by their names.
export async function fill(page, fields) {
  for (const [name, value] of Object.entries(fields)) {
    await page.locator(`#field-${name}`).fill(value);
  }
}

// open asks for a page of the gateway in a language.
export async function open(page, path, lang = "ru") {
  const url = new URL(path, input.gateway);
  url.searchParams.set("lang", lang);
  return page.goto(url.href);
}

// withPassword signs in with login and password, on the page that asks how.
export async function withPassword(page, login = input.people.ip.inn, secret = input.secret) {
  await page.locator("#field-login").waitFor({ timeout: waiting }).catch(async () => {
    assert.fail(`no form for a password at ${page.url()}:\n${await page.locator("body").innerText()}`);
  });
  await fill(page, { login, password: secret });
  await page.getByRole("button", { name: words.signIn }).click();
}

// withKey signs in with the key of somebody, or signs whatever the page asks for: by the
// agent, which answers in a tab of its own. It returns the tab.
export async function withKey(page, someone, button = "#choose-agent") {
  await page.locator(button).click();
  await page.waitForURL(`${input.gateway}/signin/wait?**`, { timeout: waiting });
  const [tab] = await Promise.all([page.context().waitForEvent("page", { timeout: waiting }), page.locator("#open-agent").click()]);
  await tab.waitForURL(`${input.agent}/**`, { timeout: waiting }).catch(async () => {
    assert.fail(`not at the agent but at ${tab.url()}:\n${await tab.locator("body").innerText()}`);
  });
  await certificate(tab, someone.name);
  await enter(tab, someone.pin);
  await page.locator("#wait").waitFor({ state: "detached", timeout: waiting }); // it reloads by itself, and would be in the way
  return tab;
}

// letter returns the newest letter to an address that has some words, when so many have come.
export async function letter(to, pattern, least = 1) {
  const until = Date.now() + waiting;
  let seen = [];
  do {
    const answer = await fetch(`${input.helper}/mailbox.json?to=${encodeURIComponent(to)}`);
    seen = await answer.json();
    const found = seen.filter((one) => pattern.test(`${one.subject}\n${one.text}`));
    if (found.length >= least) {
      return found.at(-1);
    }
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  } while (Date.now() < until);
  return assert.fail(`not ${least} letters to ${to} with ${pattern}:\n${seen.map((one) => one.subject).join("\n")}`);
}

// link returns the address of this gateway in a letter whose path begins with a text.
export function link(from, path) {
  const found = from.text.match(/https?:\/\/[^\s<>"]+/g)?.map((one) => one.replace(/[.,)]+$/, "")).find((one) => one.startsWith(input.gateway + path));
  assert.ok(found, `no address ${path} in the letter:\n${from.text}`);
  return found;
}

// answer answers the question in words under a picture of digits.
export async function answer(page) {
  const form = page.locator("fieldset.captcha");
  if (await form.count() === 0) {
    return;
  }
  for (const line of (await form.locator("p").allInnerTexts()).map((text) => text.replace(/^[^:]*: /, ""))) {
    const said = await (await fetch(`${input.helper}/answer?question=${encodeURIComponent(line)}`)).text();
    if (said) {
      await page.locator("#field-captcha").fill(said);
      return;
    }
  }
  assert.fail(`no question:\n${await form.innerText()}`);
}

// totp is the code that an application shows, RFC 6238: of the step that is so many after now.
export function totp(secret, after = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.toUpperCase().replace(/[^A-Z2-7]/g, "")].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + after));
  const digest = createHmac("sha1", key).update(step).digest();
  const at = digest[19] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

const codes = new Set();

// newCode is a code that has come by letter to an address and was not used yet.
export async function newCode(address) {
  const until = Date.now() + waiting;
  do {
    const { text } = await letter(address, /^\d[\d -]{4,}$/m);
    const code = text.match(/^\d[\d -]{4,}$/m)[0];
    if (!codes.has(code)) {
      codes.add(code);
      return code;
    }
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  } while (Date.now() < until);
  return assert.fail("no new code came");
}

// allowed lets somebody who came in by a password change the account: what that wants more is
// proven by a code that comes by letter.
export async function allowed(page, address, lang = "ru") {
  await open(page, "/account/confirm?to=/account/security", lang);
  if (new URL(page.url()).pathname === "/account/security") {
    return;
  }
  if (await page.locator("#choose-second").count() > 0) {
    await page.locator("#choose-second").click();
  }
  await arrived(page, "/signin/second");
  const send = page.locator('form:has(input[name="action"][value="send"]) button');
  if (await send.count() > 0) {
    await send.click();
    await page.locator(".notice").first().waitFor({ timeout: waiting });
  }
  await fill(page, { code: await newCode(address) });
  await page.locator("form:has(#field-code) button[type=submit]").click();
  await arrived(page, "/account/security");
}
