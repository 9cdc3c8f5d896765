// Answers as CryptoPro's browser extension and the program behind it do. The page loads
// nmcades_plugin_api.js from the extension; that half turns calls into messages with the
// numbers of objects, and the program, here in node, keeps the objects. It really signs:
// the Go test has the keys.
import { input } from "./lib.mjs";

export const extension = "pfhgbfnnjiafkhfdkmpiflachepdcjod";

// pageHalf is nmcades_plugin_api.js: objects whose properties and methods are promises.
function pageHalf() {
  const wrap = (value) => {
    if (!value || typeof value !== "object") {
      return value;
    }
    const object = { objid: value.objid };
    for (const name of value.properties) {
      Object.defineProperty(object, name, { get: () => call({ objid: value.objid, get: name }) });
      object[`propset_${name}`] = (given) => call({ objid: value.objid, set: name, params: [pack(given)] });
    }
    for (const name of value.methods) {
      object[name] = (...params) => call({ objid: value.objid, method: name, params: params.map(pack) });
    }
    return object;
  };
  const pack = (given) => {
    if (given instanceof Date) {
      return { type: "string", value: given.toISOString() };
    }
    return typeof given === "object" ? { type: "object", value: given.objid } : { type: typeof given, value: given };
  };
  const call = async (message) => {
    const { error, value } = await window.nmcadesProgram(message);
    if (error) {
      throw { type: "error", message: error }; // as the extension does: not an Error
    }
    return wrap(value);
  };
  window.cpcsp_chrome_nmcades = {
    check_chrome_plugin(loaded, failed) {
      window.cadesplugin.async_spawn(function* (args) {
        try {
          const made = yield call({ type: "init" });
          yield made.CreateObjectAsync("CAdESCOM.About");
          window.cadesplugin.set(made);
          args[0]();
        } catch (error) {
          args[1]("Плагин недоступен");
        }
      }, loaded, failed);
    },
  };
}

// contentHalf is the part of the extension that is in every page, and, for a test, how
// addresses of the extension are served: Chromium has no extension of this identifier.
function contentHalf(id) {
  window.addEventListener("message", ({ source, data }) => {
    if (source === window && data === "cadesplugin_echo_request") {
      window.postMessage("cadesplugin_loaded", "*");
    }
  });
  const { set } = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src");
  Object.defineProperty(HTMLScriptElement.prototype, "src", {
    set(url) {
      set.call(this, url.replace(`chrome-extension://${id}/`, `${location.origin}/extension-of-test/`));
    },
  });
}

const personal = { store: 2, name: "My", mode: 2 };

// Program keeps the objects. mode is what goes wrong: "", "no-host", "denied", "empty",
// "cancelled", "wrong-pin" or "garbage".
class Program {
  constructor(people, mode) {
    this.people = people;
    this.mode = mode;
    this.objects = [];
    this.signed = 0;
    this.version = "2.0.15000";
    this.csp = "5.0.13300";
  }

  // keep gives an object a number. What it has is told to the page.
  keep(properties, methods, state = {}) {
    this.objects.push({ properties, methods, state });
    return { objid: this.objects.length, properties: Object.keys(properties), methods: Object.keys(methods) };
  }

  answer(message) {
    if (message.type === "init") {
      if (this.mode === "no-host") {
        throw new Error("Specified native messaging host not found.");
      }
      return { value: this.keep({}, { CreateObjectAsync: (name) => this.create(name) }) };
    }
    const { properties, methods, state } = this.objects[message.objid - 1];
    const params = (message.params || []).map(({ type, value }) => (type === "object" ? this.objects[value - 1] : value));
    if (message.set) {
      if (!(message.set in properties)) {
        throw new Error(`no property ${message.set}`);
      }
      state[message.set] = params[0];
      return undefined;
    }
    return message.get ? properties[message.get](state) : methods[message.method](...params);
  }

  // create makes one of the objects of CAPICOM and CAdESCOM.
  create(name) {
    const nothing = () => undefined;
    switch (name.toLowerCase()) {
      case "cadescom.about":
        return this.keep({ PluginVersion: () => this.version }, { CSPVersion: () => this.csp });
      case "cadescom.store":
        if (this.mode === "denied") {
          throw new Error("Отказано в доступе. (0x80070005)");
        }
        return this.store();
      case "cadescom.cpsigner": {
        const attributes = this.keep({}, { Add: nothing });
        return this.keep({ Certificate: nothing, Options: nothing, AuthenticatedAttributes2: () => attributes }, {});
      }
      case "cadescom.cpattribute":
        return this.keep({ Name: nothing, Value: nothing }, {});
      case "cadescom.hasheddata": {
        const state = {};
        return this.keep({ Algorithm: nothing }, { SetHashValue: (value) => { state.digest = value; } }, state);
      }
      case "cadescom.cadessigneddata": {
        const state = {};
        return this.keep({ Content: nothing, ContentEncoding: nothing }, {
          SignCades: (signer, type, detached) => this.sign(signer, type === 1 && detached && state.ContentEncoding === 1, { content: state.Content }),
          SignHash: (digest, signer, type) => this.sign(signer, type === 1, { digest: digest.state.digest, algorithm: digest.state.Algorithm }),
        }, state);
      }
    }
    throw new Error(`Класс не зарегистрирован: ${name} (0x80040154)`);
  }

  store() {
    const list = (people) => this.keep({ Count: () => people.length }, {
      Item: (i) => this.certificate(people[i - 1]),
      Find: (by, value) => list(people.filter(({ thumbprint }) => by === 0 && thumbprint.toLowerCase() === value.toLowerCase())),
    });
    return this.keep({ Certificates: () => list(this.mode === "empty" ? [] : this.people) }, {
      Open: (store, name, mode) => {
        if (store !== personal.store || name !== personal.name || mode !== personal.mode) {
          throw new Error("Параметр задан неверно. (0x80070057)");
        }
      },
      Close: () => undefined,
    });
  }

  certificate(one) {
    return this.keep({ Thumbprint: () => one.thumbprint.toUpperCase() }, {
      // In lines, as CryptoAPI writes base64.
      Export: () => one.der.replace(/.{64}/g, "$&\r\n"),
      HasPrivateKey: () => one.hasKey !== false,
    }, { one });
  }

  async sign(signer, wellAsked, what) {
    if (!wellAsked) {
      throw new Error("Параметр задан неверно. (0x80070057)");
    }
    switch (this.mode) {
      case "cancelled":
        throw new Error("Действие было отменено пользователем. (0x8010006E)");
      case "wrong-pin":
        throw new Error("The card cannot be accessed because the wrong PIN was presented. (0x8010006B)");
      case "garbage":
        return Buffer.from("это не подпись").toString("base64");
    }
    const { one } = signer.state.Certificate.state;
    this.signed++;
    return sign(one.id, what);
  }
}

// sign has the Go test sign, and returns base64 in lines.
export async function sign(id, { content, digest }) {
  const response = await fetch(input.host, { method: "POST", body: JSON.stringify({ id, content, digest }) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${text} (0x80004005)`);
  }
  return text.replace(/.{64}/g, "$&\r\n");
}

// install puts the extension and its program into a browser profile.
export async function install(context, people, mode = "") {
  const program = new Program(people, mode);
  await context.exposeFunction("nmcadesProgram", async (message) => {
    try {
      const value = await program.answer(message);
      return message.type === "init" ? value : { value };
    } catch (error) {
      return { error: error.message };
    }
  });
  await context.addInitScript(contentHalf, extension);
  await context.route("**/extension-of-test/nmcades_plugin_api.js", (route) => route.fulfill({
    contentType: "text/javascript", body: `(${pageHalf})();`,
  }));
  return program;
}
