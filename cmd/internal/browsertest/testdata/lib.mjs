// What every script needs: its input, a browser, steps that become subtests, pictures.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

export { assert };

async function read(stream) {
  const parts = [];
  for await (const part of stream) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

// input is what the Go test gave.
export const input = JSON.parse(await read(process.stdin));

// waiting is how long anything may take, in milliseconds: other tests run beside. Once
// something has failed nobody need wait that long again.
export let waiting = 30000;

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// launch starts Chromium, without what it would look for on the internet.
export async function launch(...args) {
  const browser = await chromium.launch({
    executablePath: input.chromium,
    headless: true,
    args: [
      "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", ...args,
    ],
  });
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => browser.close().finally(() => process.exit(1)));
  }
  return browser;
}

// person opens a browser profile of somebody who speaks Russian. The servers of the
// country have certificates of a CA that no browser knows.
export async function person(browser, options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, locale: "ru-RU", viewport: { width: 1000, height: 900 }, ...options,
  });
  context.setDefaultTimeout(waiting);
  return context;
}

// step runs a part of a script and tells how it went; the script goes on after a failure.
export async function step(name, action) {
  let error = "";
  const from = Date.now();
  try {
    await action();
  } catch (caught) {
    error = String(caught?.stack || caught) || "failed";
    waiting = 3000;
  }
  tell({ step: name, error, milliseconds: Date.now() - from });
}

// done ends a script.
export async function done(browser) {
  await browser.close();
  tell({ done: true });
}

// picture keeps what a page looks like, if anybody wants to see it.
export async function picture(page, name) {
  if (!input.screenshots) {
    return;
  }
  await mkdir(input.screenshots, { recursive: true });
  await page.screenshot({ path: path.join(input.screenshots, `${name}.png`), fullPage: true });
}

// sees fails unless the page comes to show all texts.
export async function sees(page, ...texts) {
  for (const text of texts) {
    await page.getByText(text).first().waitFor({ timeout: waiting }).catch(async () => {
      assert.fail(`no ${text} on ${page.url()}:\n${await page.locator("body").innerText()}`);
    });
  }
}

// bilingual fails unless the page is in Russian, with English at hand: beside it and marked
// as such, or one click away.
export async function bilingual(page) {
  assert.equal(await page.locator("html").getAttribute("lang"), "ru");
  assert.match(await page.locator("h1").innerText(), /[А-я]{3}/);
  assert.match(await page.locator('[lang="en"]:visible').first().innerText(), /[A-z]{3}/);
}
