// Signs on the gateway's page with the plug-in of a vendor. The page gives <div
// id="plugins" data-content data-digest256 data-digest512 data-kinds> and <form
// id="answer"> with a field "signature"; without this script both stay hidden.
//
// On a page that only wants to know what is there, with <div id="plugins" data-probe>, it
// looks for plug-ins, writes what it finds into data-found, and sends that element the event
// "found".
import { cryptoPro } from "./cryptopro.mjs";
import { day, holder, unusable } from "./certificate.mjs";
import { Failure } from "./failure.mjs";
import { rutoken } from "./rutoken.mjs";

const root = document.getElementById("plugins");
const answer = document.getElementById("answer");
const request = {
  content: root.dataset.content || "",
  digests: { 256: root.dataset.digest256 || "", 512: root.dataset.digest512 || "" },
};
const kinds = (root.dataset.kinds || "").split(",").filter(Boolean);

// make returns an element with properties and children; text is never read as HTML.
function make(tag, properties, ...inside) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...inside);
  return node;
}

// say is a sentence in the language of the page.
const say = document.documentElement.lang === "en" ? (_, en) => en : (ru) => ru;

// Section is the part of the page about one plug-in.
class Section {
  constructor(plugin) {
    this.plugin = plugin;
    this.status = make("p", { className: "status" });
    this.status.setAttribute("role", "status");
    this.body = make("div", {});
    const title = make("h3", { id: `plugin-${plugin.id}` }, plugin.name);
    this.node = make("section", { className: "plugin" }, title, this.body, this.status);
    this.node.dataset.plugin = plugin.id;
    this.node.setAttribute("aria-labelledby", title.id);
  }

  say(ru, en, code = "") {
    this.status.replaceChildren(say(ru, en));
    this.node.dataset.state = code;
  }

  // fail shows a failure; what is not one is a mistake of ours, and says so.
  fail(error) {
    if (error instanceof Failure) {
      this.say(error.ru, error.en, error.code);
      return;
    }
    this.say("Ошибка на странице. Войдите другим способом или сообщите в техническую поддержку.", "A mistake on this page. Sign in another way, or tell technical support.", "mistake");
    throw error;
  }

  // busy runs an action with all buttons off.
  async busy(action) {
    const buttons = [...root.querySelectorAll("button")];
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await action();
    } catch (error) {
      this.fail(error);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  }

  // offer shows the button that asks for certificates: the person may be asked by the
  // plug-in, so nothing is done before they want it.
  offer() {
    const button = make("button", { type: "button", className: "button" }, say("Показать сертификаты", "Show certificates"));
    button.addEventListener("click", () => this.busy(() => this.choose()));
    this.body.replaceChildren(make("p", {}, button));
    this.say("Плагин найден.", "The plug-in is here.", "found");
  }

  async choose() {
    this.say("Читаем сертификаты. Если плагин спросит, можно ли сайту ими пользоваться, разрешите.", "Reading certificates. If the plug-in asks whether the site may use them, allow it.", "reading");
    const found = await this.plugin.list();
    if (found.length === 0) {
      throw new Failure("no-certificates",
        "Сертификатов нет. Подключите носитель; для КриптоПро установите сертификат с носителя в хранилище «Личное». Затем нажмите кнопку ещё раз.",
        "There are no certificates. Insert the token; with CryptoPro, install the certificate from the token into the personal store. Then press the button again.");
    }
    const now = new Date();
    const items = found
      .map((one) => ({ one, why: unusable(one.certificate, one.hasKey, kinds, now) }))
      .sort((a, b) => Boolean(a.why) - Boolean(b.why));
    this.body.replaceChildren(make("ul", { className: "certificates" }, ...items.map(({ one, why }) => this.item(one, why))));
    if (items[0].why) {
      this.say("Ни один из сертификатов не подходит: у каждого указана причина.", "None of the certificates can be used; each has its reason.", "none-usable");
      return;
    }
    this.say("Выберите сертификат, которым подписать.", "Choose the certificate to sign with.", "choosing");
    this.body.querySelector("button").focus();
  }

  item(one, why) {
    const { certificate } = one;
    const name = holder(certificate);
    const until = say(`действует до ${day(certificate.to)}`, `valid until ${day(certificate.to)}`);
    if (why) {
      return make("li", { className: "unusable" }, make("strong", {}, name), make("p", { className: "hint" }, say(...why)));
    }
    const button = make("button", { type: "button", className: "button" }, name);
    button.addEventListener("click", () => this.busy(() => this.start(one)));
    return make("li", {}, button, make("p", { className: "hint" }, until));
  }

  async start(one) {
    const pin = await this.plugin.needsPIN(one);
    if (pin) {
      this.ask(one, pin.tries);
      return;
    }
    await this.sign(one, null);
  }

  // ask shows the field for the PIN. The field has no name and its form is never
  // submitted: the PIN goes to the plug-in and nowhere else.
  ask(one, tries) {
    const field = make("input", { type: "password", id: `pin-${this.plugin.id}`, autocomplete: "off", required: true });
    const sure = make("input", { type: "checkbox", id: `sure-${this.plugin.id}`, required: true });
    const last = tries === 1;
    const form = make("form", { className: "pin" },
      make("div", { className: "field" },
        make("label", { htmlFor: field.id }, say(`PIN-код токена: ${holder(one.certificate)}`, "PIN of the token")),
        field,
        make("p", { className: "hint" }, say("PIN-код получит Рутокен Плагин на этом компьютере; на сервер он не отправляется.", "Rutoken Plugin on this computer gets the PIN; it is not sent to the server."))),
      ...(last ? [make("div", { className: "field" }, make("label", { htmlFor: sure.id }, sure, " ",
        say("Я помню PIN-код: это последняя попытка, после ошибки токен заблокируется.", "I know the PIN: this is the last try, a mistake locks the token.")))] : []),
      make("p", {}, make("button", { type: "submit", className: "button" }, say("Подписать", "Sign"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const pin = field.value;
      form.remove(); // and the PIN with it
      field.value = "";
      this.busy(async () => {
        try {
          await this.sign(one, pin);
        } catch (error) {
          if (error instanceof Failure && error.code === "pin") {
            await this.again(one);
            return;
          }
          throw error;
        }
      });
    });
    this.body.querySelector("form.pin")?.remove();
    this.body.append(form);
    if (tries === undefined) {
      this.say("Введите PIN-код.", "Enter the PIN.", "pin");
    } else {
      this.say(`Введите PIN-код. Осталось попыток: ${tries}.`, `Enter the PIN. Tries left: ${tries}.`, last ? "pin-last" : "pin");
    }
    field.focus();
  }

  // again asks once more after a wrong PIN, and says how many tries are left.
  async again(one) {
    const { tries } = (await this.plugin.needsPIN(one)) || {};
    this.ask(one, tries);
    const left = tries === undefined ? ["", ""] : [` Осталось попыток: ${tries}.`, ` Tries left: ${tries}.`];
    this.say(`PIN-код неверен.${left[0]}`, `The PIN is wrong.${left[1]}`, tries === 1 ? "pin-last" : "pin-wrong");
  }

  async sign(one, pin) {
    this.say("Подписываем. Не извлекайте носитель.", "Signing. Do not remove the token.", "signing");
    const signature = (await this.plugin.sign(one, request, pin)).replace(/-----[^-]+-----|\s/g, "");
    this.say("Подписано. Проверяем на сервере.", "Signed. The server is checking it.", "signed");
    answer.elements.namedItem("signature").value = signature;
    answer.submit();
  }
}

// search looks for one plug-in and returns whether it, or a piece of it, is here.
async function search(plugin) {
  const section = new Section(plugin);
  try {
    if (!(await plugin.find())) {
      return false;
    }
    section.offer();
  } catch (error) {
    root.append(section.node);
    section.fail(error);
    return true;
  }
  root.append(section.node);
  return true;
}

async function main() {
  root.hidden = false;
  const status = make("p", { className: "status", id: "plugins-status" }, say("Ищем плагины в браузере.", "Looking for plug-ins in the browser."));
  status.setAttribute("role", "status");
  root.append(status);
  const found = await Promise.all([cryptoPro, rutoken].map(search));
  if (found.some(Boolean)) {
    status.remove();
  } else {
    status.replaceChildren(say(
      "Плагинов в этом браузере нет. Если у вас установлены КриптоПро ЭЦП Browser plug-in или Рутокен Плагин, включите их расширение в настройках браузера и обновите страницу.",
      "There are no plug-ins in this browser. If CryptoPro's plug-in or Rutoken Plugin is installed, switch its extension on in the settings of the browser and reload the page."));
  }
  root.dataset.ready = String(found.filter(Boolean).length);
}

// look tells of one plug-in: whether it works, which versions there are, and how many
// certificates, but nothing of what is in them.
async function look(plugin) {
  const told = { id: plugin.id, state: "absent", version: "", csp: "", certificates: -1, expired: -1, keyless: -1 };
  try {
    if (!(await plugin.find())) {
      return told;
    }
    const { version, csp } = await plugin.versions();
    Object.assign(told, { state: "found", version: version.slice(0, 50), csp: csp.slice(0, 50) });
    const all = await plugin.list();
    const now = new Date();
    told.certificates = all.length;
    told.expired = all.filter(({ certificate }) => certificate.to < now).length;
    told.keyless = all.filter(({ hasKey }) => hasKey === false).length;
  } catch (error) {
    told.state = { "plugin-program": "program", refused: "refused" }[error.code] || told.state;
  }
  return told;
}

// probe looks for all plug-ins.
async function probe() {
  root.dataset.found = JSON.stringify(await Promise.all([cryptoPro, rutoken].map(look)));
  root.dispatchEvent(new Event("found"));
}

// Extensions put their halves into the page until it has loaded.
function begin(action) {
  if (document.readyState === "complete") {
    action();
  } else {
    window.addEventListener("load", action);
  }
}
if (root && root.dataset.probe !== undefined) {
  begin(probe);
} else if (root && answer) {
  begin(main);
}
