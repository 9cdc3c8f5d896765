// Рутокен Плагин as a signer. It has no window for the PIN: unless the token is logged in
// already, or has a keyboard of its own, the page must ask for it. See README.md.
import { read } from "./certificate.mjs";
import { Failure } from "./failure.mjs";

let plugin;

// find reports whether the extension and the plug-in are there. The package looks for
// them when it is loaded, so that is done here and not before.
async function find() {
  const { default: rutoken } = await import("@aktivco/rutoken-plugin");
  try {
    await rutoken.ready;
    if (!(await rutoken.isPluginInstalled())) {
      if (await rutoken.isExtensionInstalled()) {
        throw new Failure("plugin-program",
          "Расширение «Адаптер Рутокен Плагин» в браузере есть, но сам Рутокен Плагин не установлен. Установите его, закройте все окна браузера и повторите.",
          "Rutoken's extension is in the browser, but Rutoken Plugin is not installed. Install it, close all windows of the browser and repeat.");
      }
      return false;
    }
    plugin = await rutoken.loadPlugin();
    return true;
  } catch (error) {
    throw failure(error);
  }
}

// failure turns the number that the plug-in answers with into words.
function failure(error) {
  if (error instanceof Failure) {
    return error;
  }
  const said = String((error && error.message) || error);
  const codes = (plugin && plugin.errorCodes) || {};
  const name = Object.keys(codes).find((key) => String(codes[key]) === said) || said;
  switch (name) {
    case "PIN_INCORRECT":
    case "PIN_INVALID":
    case "PIN_LENGTH_INVALID":
      return new Failure("pin", "PIN-код неверен.", "The PIN is wrong.");
    case "PIN_LOCKED":
      return new Failure("blocked", "Токен заблокирован: попытки ввода PIN-кода исчерпаны. Разблокируйте его у того, кто его выдал, или PIN-кодом администратора.", "The token is locked: no tries of the PIN are left. Have it unlocked by whoever issued it, or with the administrator's PIN.");
    case "FUNCTION_REJECTED":
    case "PKCS11_CANCEL":
      return new Failure("cancelled", "Вы отменили подписание. Чтобы войти, нажмите на сертификат ещё раз.", "You cancelled. To sign in, choose the certificate again.");
    case "DEVICE_NOT_FOUND":
    case "TOKEN_NOT_PRESENT":
      return new Failure("removed", "Токен извлечён. Подключите его и повторите.", "The token was removed. Insert it and repeat.");
  }
  return new Failure("plugin", `Рутокен Плагин ответил: ${name}. Подключите токен заново и повторите.`, `Rutoken Plugin answered: ${name}. Insert the token again and repeat.`);
}

async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    throw failure(error);
  }
}

async function list() {
  const found = [];
  for (const device of await plugin.enumerateDevices()) {
    for (const id of await plugin.enumerateCertificates(device, plugin.CERT_CATEGORY_USER)) {
      // Which keys there are is told after login only.
      found.push({ id, device, certificate: read(await plugin.getCertificate(device, id)), hasKey: true });
    }
  }
  return found;
}

// needsPIN returns null if no PIN is to be asked for here, or how many tries are left:
// {tries: undefined} if the plug-in does not know.
async function needsPIN({ device }) {
  if (await plugin.getDeviceInfo(device, plugin.TOKEN_INFO_IS_LOGGED_IN)) {
    return null;
  }
  if (plugin.TOKEN_INFO_PIN_RETRIES_LEFT === undefined) {
    return { tries: undefined };
  }
  const tries = Number(await plugin.getDeviceInfo(device, plugin.TOKEN_INFO_PIN_RETRIES_LEFT));
  if (tries === 0) {
    throw new Error(String(plugin.errorCodes.PIN_LOCKED));
  }
  return { tries: Number.isFinite(tries) ? tries : undefined };
}

async function sign({ id, device, certificate }, { content, digests }, pin) {
  if (pin !== null) {
    await plugin.login(device, pin);
  }
  try {
    const data = content || digests[certificate.bits].replace(/..(?!$)/g, "$&:");
    const format = content ? plugin.DATA_FORMAT_BASE64 : plugin.DATA_FORMAT_HASH;
    // addEssCert adds signing-certificate-v2, which makes the signature a CAdES-BES.
    return await plugin.sign(device, id, data, format, {
      detached: true, addUserCertificate: true, addSignTime: true, addEssCert: true,
    });
  } finally {
    if (pin !== null) {
      await plugin.logout(device).catch(() => {}); // the token may be gone; what counts was said
    }
  }
}

export const rutoken = {
  id: "rutoken",
  name: "Рутокен Плагин",
  find,
  versions: async () => ({ version: String(plugin.version || ""), csp: "" }),
  list: () => attempt(list),
  needsPIN: (certificate) => attempt(() => needsPIN(certificate)),
  sign: (certificate, request, pin) => attempt(() => sign(certificate, request, pin)),
};
