// КриптоПро ЭЦП Browser plug-in as a signer. CryptoPro's program asks for the PIN in a
// window of its own: this page never sees it.
import { createSignature } from "crypto-pro";
import { constants, create, find, message, open, plugin } from "./cades.mjs";
import { read } from "./certificate.mjs";
import { Failure } from "./failure.mjs";

// What Windows and CryptoPro's libraries say when the person said no.
const cancelled = /0x8010006E|0x800704C7|0x80090036/i;
const refused = /0x80070005|0x80004004/i;
const wrongPIN = /0x8010006B/i;
const blockedPIN = /0x8010006C/i;

// failure turns what CryptoPro said into something that a person can use.
function failure(error, said) {
  if (error instanceof Failure) {
    return error;
  }
  if (cancelled.test(said)) {
    return new Failure("cancelled", "Вы отменили подписание. Чтобы войти, нажмите на сертификат ещё раз.", "You cancelled. To sign in, choose the certificate again.");
  }
  if (refused.test(said)) {
    return new Failure("refused",
      "Вы не разрешили этому сайту работать с сертификатами. Нажмите кнопку ещё раз и подтвердите доступ; если окна больше нет, добавьте адрес сайта в доверенные узлы в настройках КриптоПро ЭЦП Browser plug-in.",
      "You did not allow this site to use certificates. Press the button again and confirm; if you are not asked any more, add the site to the trusted ones in the settings of the plug-in.");
  }
  if (blockedPIN.test(said)) {
    return new Failure("blocked", "Носитель заблокирован: попытки ввода PIN-кода исчерпаны. Разблокируйте его у того, кто его выдал.", "The token is locked: no tries of the PIN are left. Have it unlocked by whoever issued it.");
  }
  if (wrongPIN.test(said)) {
    return new Failure("pin", "PIN-код неверен. Число попыток ограничено: проверьте PIN-код и повторите.", "The PIN is wrong. The number of tries is limited: check it and repeat.");
  }
  return new Failure("plugin",
    `КриптоПро ответил: ${said || "неизвестная ошибка"}. Проверьте, что носитель подключён и лицензия КриптоПро CSP действует, и повторите.`,
    `CryptoPro answered: ${said || "unknown error"}. Check that the token is inserted and the licence of CryptoPro CSP is valid, and repeat.`);
}

async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    throw failure(error, message(error));
  }
}

// list returns the certificates of the personal store.
async function list() {
  await open();
  const store = await create("CAdESCOM.Store");
  await store.Open(constants.CAPICOM_CURRENT_USER_STORE, constants.CAPICOM_MY_STORE, constants.CAPICOM_STORE_OPEN_MAXIMUM_ALLOWED);
  const found = [];
  try {
    const certificates = await store.Certificates;
    const count = await certificates.Count;
    for (let i = 1; i <= count; i++) {
      const one = await certificates.Item(i);
      const certificate = read(await one.Export(0));
      found.push({ id: await one.Thumbprint, certificate, hasKey: await one.HasPrivateKey() });
    }
  } finally {
    await store.Close();
  }
  return found;
}

// signDigest signs a document that is known by its digest, as crypto-pro cannot: it
// makes no CAdES of one.
async function signDigest(id, { bits }, digests) {
  await open();
  const store = await create("CAdESCOM.Store");
  await store.Open(constants.CAPICOM_CURRENT_USER_STORE, constants.CAPICOM_MY_STORE, constants.CAPICOM_STORE_OPEN_MAXIMUM_ALLOWED);
  try {
    const found = await (await store.Certificates).Find(constants.CAPICOM_CERTIFICATE_FIND_SHA1_HASH, id);
    const signer = await create("CAdESCOM.CPSigner");
    await signer.propset_Certificate(await found.Item(1));
    await signer.propset_Options(constants.CAPICOM_CERTIFICATE_INCLUDE_END_ENTITY_ONLY);
    const digest = await create("CAdESCOM.HashedData");
    await digest.propset_Algorithm(constants[`CADESCOM_HASH_ALGORITHM_CP_GOST_3411_2012_${bits}`]);
    await digest.SetHashValue(digests[bits].toUpperCase());
    const data = await create("CAdESCOM.CadesSignedData");
    return await data.SignHash(digest, signer, constants.CADESCOM_CADES_BES);
  } finally {
    await store.Close();
  }
}

// shown is a version, which is text or an object that says it.
async function shown(version) {
  return version === undefined || version === null ? "" : String(await version.toString());
}

// versions are those of the plug-in and of the cryptographic provider; empty if it does not
// say. 80 is PROV_GOST_2012_256.
async function versions() {
  await open();
  const about = await create("CAdESCOM.About");
  const version = await shown(await about.PluginVersion);
  const csp = await shown(await about.CSPVersion("", 80).catch(() => ""));
  return { version, csp };
}

export const cryptoPro = {
  id: "cryptopro",
  name: "КриптоПро ЭЦП Browser plug-in",
  find,
  versions: () => attempt(versions),
  list: () => attempt(list),
  // needsPIN is null: the plug-in asks itself.
  needsPIN: async () => null,
  // sign returns a detached CAdES-BES signature in base64.
  async sign({ id, certificate }, { content, digests }) {
    if (!content) {
      return attempt(() => signDigest(id, certificate, digests));
    }
    await attempt(open);
    plugin.lastMessage = "";
    try {
      return await createSignature(id, content, true);
    } catch (error) {
      throw failure(error, plugin.lastMessage || message(error));
    }
  },
};
