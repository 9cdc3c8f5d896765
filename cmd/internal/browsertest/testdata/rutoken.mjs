// Answers as Rutoken's browser extension and Rutoken Plugin do: an object with a long
// name in the page, whose functions return promises and fail with numbers. It really
// signs: the Go test has the keys.
import { sign } from "./cryptopro.mjs";

const errorCodes = { DEVICE_NOT_FOUND: 1, PIN_INCORRECT: 10, PIN_LOCKED: 11, FUNCTION_REJECTED: 20, USER_NOT_LOGGED_IN: 21 };
const constants = { CERT_CATEGORY_USER: 1, DATA_FORMAT_BASE64: 1, DATA_FORMAT_HASH: 2, TOKEN_INFO_IS_LOGGED_IN: 17, TOKEN_INFO_PIN_RETRIES_LEFT: 18 };

// pageHalf is what the extension puts into every page.
function pageHalf({ constants, errorCodes, functions, installed }) {
  const plugin = { ...constants, valid: true };
  for (const name of functions) {
    plugin[name] = async (...args) => {
      const { error, value } = await window.rutokenProgram({ name, args });
      if (error) {
        throw new Error(String(error));
      }
      return value;
    };
  }
  // Tables come as promises too.
  plugin.errorCodes = Promise.resolve(errorCodes);
  window["C3B7563B-BF85-45B7-88FC-7CFF1BD3C2DB"] = {
    initialize: async () => undefined,
    isPluginInstalled: async () => installed,
    loadPlugin: async () => plugin,
  };
}

// Token is one device with one certificate.
class Token {
  constructor(person, { pin, tries = 10, loggedIn = false, mode = "" }) {
    Object.assign(this, { person, pin, tries, most: tries, loggedIn, mode, logins: [], signed: 0 });
  }

  fail(name) {
    throw Object.assign(new Error(name), { code: errorCodes[name] });
  }

  async answer(name, args) {
    const token = this;
    const functions = {
      enumerateDevices: () => (token.mode === "empty" ? [] : [0]),
      enumerateCertificates: () => ["aa:bb"],
      getCertificate: () => `-----BEGIN CERTIFICATE-----\n${token.person.der.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
      getDeviceInfo: (_, what) => (what === constants.TOKEN_INFO_IS_LOGGED_IN ? token.loggedIn : token.tries),
      login: (_, pin) => {
        token.logins.push(pin.length);
        if (token.tries === 0) {
          token.fail("PIN_LOCKED");
        }
        if (pin !== token.pin) {
          token.tries--;
          token.fail(token.tries === 0 ? "PIN_LOCKED" : "PIN_INCORRECT");
        }
        token.tries = token.most;
        token.loggedIn = true;
      },
      logout: () => { token.loggedIn = false; },
      sign: (_, id, data, format, options) => token.sign(id, data, format, options),
    };
    return functions[name](...args);
  }

  async sign(id, data, format, options) {
    if (!this.loggedIn) {
      this.fail("USER_NOT_LOGGED_IN");
    }
    if (this.mode === "cancelled") {
      this.fail("FUNCTION_REJECTED");
    }
    if (this.mode === "garbage") {
      return Buffer.from("это не подпись").toString("base64");
    }
    if (id !== "aa:bb" || !options.detached || !options.addUserCertificate || !options.addEssCert) {
      throw new Error("not what is wanted");
    }
    this.signed++;
    return sign(this.person.id, format === constants.DATA_FORMAT_HASH ? { digest: data.replaceAll(":", "") } : { content: data });
  }
}

// install puts the extension and a token into a browser profile. Options: pin, tries,
// loggedIn, mode ("no-host", "empty", "cancelled" or "garbage").
export async function install(context, person, options = {}) {
  const token = new Token(person, options);
  await context.exposeFunction("rutokenProgram", async ({ name, args }) => {
    try {
      return { value: await token.answer(name, args) };
    } catch (error) {
      return { error: error.code || error.message };
    }
  });
  await context.addInitScript(pageHalf, {
    constants, errorCodes, installed: options.mode !== "no-host",
    functions: ["enumerateDevices", "enumerateCertificates", "getCertificate", "getDeviceInfo", "login", "logout", "sign"],
  });
  return token;
}
