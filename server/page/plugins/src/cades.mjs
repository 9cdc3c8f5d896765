// The page's half of CryptoPro's extension, as window.cadesplugin, which the extension
// and the package crypto-pro both expect. The browser is asked what it has, not what it
// is called: the extension answers at one of its addresses, or, in Firefox, to a message.
import { Failure } from "./failure.mjs";

// The identifiers must be those of plugins.go, which lets the page load from them.
const extensions = [
  "pfhgbfnnjiafkhfdkmpiflachepdcjod",
  "iifchhfnnmpdbibifmljnfjhpififfog",
  "epebfcehmdedogndhlcacafjaacknbcm",
];
const file = "nmcades_plugin_api.js";
const firefox = /^cadesplugin_loaded.*url:(moz-extension:\/\/[0-9a-f-]{36}\/nmcades_plugin_api\.js)$/;

// How long the extension may take to answer a message, in milliseconds: where a file of
// it was loaded, and where it may not be installed at all.
const patience = 20000;
const probe = 1000;

// Values of CAPICOM and CAdESCOM that are used here and in crypto-pro.
export const constants = {
  CAPICOM_CURRENT_USER_STORE: 2,
  CAPICOM_MY_STORE: "My",
  CAPICOM_STORE_OPEN_MAXIMUM_ALLOWED: 2,
  CAPICOM_CERTIFICATE_FIND_SHA1_HASH: 0,
  CAPICOM_CERTIFICATE_INCLUDE_END_ENTITY_ONLY: 2,
  CADESCOM_BASE64_TO_BINARY: 1,
  CADESCOM_CADES_BES: 1,
  CADESCOM_HASH_ALGORITHM_CP_GOST_3411_2012_256: 101,
  CADESCOM_HASH_ALGORITHM_CP_GOST_3411_2012_512: 102,
  LOG_LEVEL_DEBUG: 4,
  LOG_LEVEL_INFO: 2,
  LOG_LEVEL_ERROR: 1,
};

let native; // the object that makes all others, once open() was called

// create makes an object of the program; open() must have been called.
export const create = (name) => native.CreateObjectAsync(name);

// plugin is a promise too, because the API of CryptoPro has always been one; so it must
// not be returned from an async function, which would wait for it.
export const plugin = Object.assign(Promise.resolve(), constants, {
  current_log_level: constants.LOG_LEVEL_ERROR,
  lastMessage: "",
  set: (object) => { native = object; },
  set_log_level: () => {},
  CreateObjectAsync: create,
  // crypto-pro shows every error here before it makes a sentence of it.
  getLastError(error) {
    plugin.lastMessage = message(error);
    return { message: plugin.lastMessage };
  },
  // async_spawn runs a generator that yields promises.
  async async_spawn(generator, ...args) {
    const steps = generator(args);
    let step = steps.next();
    while (!step.done) {
      let value;
      try {
        value = await step.value;
      } catch (error) {
        step = steps.throw(error);
        continue;
      }
      step = steps.next(value);
    }
    return step.value;
  },
});

// message is what the extension said, with the code of the system in it.
export function message(error) {
  return String((error && error.message) || error || "");
}

function load(url) {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.onload = () => resolve(true);
    script.onerror = () => resolve(false);
    script.src = url;
    document.head.append(script);
  });
}

// echo returns what the extension answers, or null.
function echo(milliseconds) {
  return new Promise((resolve) => {
    const done = (value) => {
      clearTimeout(timer);
      window.removeEventListener("message", listen);
      resolve(value);
    };
    const listen = ({ source, data }) => {
      if (source === window && typeof data === "string" && data.startsWith("cadesplugin_loaded")) {
        done(data);
      }
    };
    const timer = setTimeout(done, milliseconds, null);
    window.addEventListener("message", listen);
    window.postMessage("cadesplugin_echo_request", window.origin);
  });
}

// find reports whether the extension is there. It asks the person nothing.
export async function find() {
  window.cadesplugin = plugin;
  for (const id of extensions) {
    if (await load(`chrome-extension://${id}/${file}`)) {
      return (await echo(patience)) !== null && Boolean(window.cpcsp_chrome_nmcades);
    }
  }
  const [, url] = firefox.exec((await echo(probe)) || "") || [];
  return Boolean(url) && (await load(url)) && Boolean(window.cpcsp_chrome_nmcades);
}

// open starts the program that the extension talks to. It may ask the person whether
// this site may use certificates.
export async function open() {
  if (native) {
    return;
  }
  await new Promise((resolve, reject) => {
    window.cpcsp_chrome_nmcades.check_chrome_plugin(resolve, () => reject(new Failure("plugin-program",
      "Расширение КриптоПро в браузере есть, но сам КриптоПро ЭЦП Browser plug-in не отвечает. Установите его или переустановите, закройте все окна браузера и повторите.",
      "CryptoPro's extension is in the browser, but the plug-in itself does not answer. Install it, or install it again, close all windows of the browser and repeat.")));
  });
}
