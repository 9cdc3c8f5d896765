// What every page must be, whatever it is about: for people who do not see it, who have no
// mouse, who read it on a telephone or in another language.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { assert, input, picture, waiting } from "./lib.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// phone is the narrowest telephone that people still have, desk is a desk.
export const phone = { width: 360, height: 740 };
export const desk = { width: 1000, height: 900 };

// accessible fails if axe-core finds anything against WCAG 2.2 AA, or against what it
// knows to be good practice.
export async function accessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join("\n")}`);
  assert.equal(found.length, 0, `${page.url()}:\n${found.join("\n")}`);
}

// fits fails if a page must be moved sideways, or has something to press that is too small
// for a finger (WCAG 2.2, 2.5.8; links within a line are spared).
export async function fits(page) {
  const { wide, small } = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => element.closest(".table, pre, .skip, .hidden");
    return {
      wide: [...document.body.querySelectorAll("*")]
        .filter((element) => element.getBoundingClientRect().right > width + 1 && !scrolls(element))
        .map((element) => element.outerHTML.slice(0, 200)),
      small: [...document.querySelectorAll("a.button, button, input:not([type=hidden]), select, textarea, summary")]
        .filter((element) => element.checkVisibility() && (element.getBoundingClientRect().height < 24 || element.getBoundingClientRect().width < 21))
        .map((element) => element.outerHTML.slice(0, 200)),
    };
  });
  assert.deepEqual(wide, [], `${page.url()} is wider than the screen`);
  assert.deepEqual(small, [], `${page.url()} has what no finger can press`);
}

// Names that have no other language, among words of the other.
const names = /Русский|КриптоПро|Рутокен|Плагин|Пропуск|ИНН|ОГРНИП|ОГРН|СНИЛС|МСК|УЭК|ЭЦП|УЦ|ИП|ФНС|ФЗ/g;

// speaks fails unless the page is in one language: that of its root element, in its words
// and in what the house says. Names of people and services are Russian in both, so only
// what is the gateway's own is looked at: headings, labels, buttons and hints.
export async function speaks(page, lang) {
  assert.equal(await page.locator("html").getAttribute("lang"), lang, page.url());
  assert.equal(await page.locator("h1").count(), 1, page.url());
  const own = await page.locator("h1, h2, label, legend, button, .button, .hint, .error, nav a, th, dt, .skip").allInnerTexts();
  const people = Object.values(input.people || {}).map(({ name }) => name);
  const wrong = own.map((text) => people.reduce((rest, name) => rest.replaceAll(name, ""), text).replace(names, "").replace(/«[^»]*»|“[^”]*”/g, "")).filter((text) => (lang === "en" ? /[А-яЁё]{3}/ : /^[^А-яЁё]*[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}/).test(text));
  assert.deepEqual(wrong, [], `${page.url()} speaks the other language than ${lang}`);
}

// focused fails unless whatever Tab comes to can be seen to have the focus.
export async function focused(page) {
  await page.evaluate(() => { document.activeElement?.blur(); window.scrollTo(0, 0); });
  const seen = new Set();
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) {
        return null;
      }
      const style = getComputedStyle(element);
      return {
        what: `${element.tagName} ${element.id || element.name || element.textContent.trim().slice(0, 40)}`,
        visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
      };
    });
    if (!at) {
      break;
    }
    assert.ok(at.visible, `${page.url()}: nobody sees that ${at.what} has the focus`);
    seen.add(at.what);
  }
  assert.ok(seen.size >= 3, `${page.url()}: Tab reaches only ${[...seen]}`);
}

// examine looks at a page that is open, as wide as it is and on a telephone, in the
// language that it is in, and keeps pictures of it. What axe-core finds does not depend on
// the width, but for what a finger can press: the narrow one is looked at.
export async function examine(page, name) {
  const lang = await page.locator("html").getAttribute("lang");
  const before = page.viewportSize();
  await page.locator("h1").waitFor({ timeout: waiting });
  for (const [where, size] of [["", desk], ["-phone", phone]]) {
    await page.setViewportSize(size);
    await fits(page);
    if (size === phone) {
      await speaks(page, lang);
      await accessible(page);
    }
    await picture(page, `${name}-${lang}${where}`);
  }
  await page.setViewportSize(before);
}

// inLanguage opens an address in a language and examines it.
export async function inLanguage(page, url, lang, name) {
  const at = new URL(url);
  at.searchParams.set("lang", lang);
  await page.goto(at.href);
  assert.equal(await page.locator("html").getAttribute("lang"), lang, page.url());
  await examine(page, name);
}
