// What a person must know of a certificate before it is used, read from the
// certificate itself: what plug-ins say about one differs between them, and between
// languages. The gateway judges certificates; here is only what spares a useless PIN.

const OID = {
  commonName: "2.5.4.3",
  surname: "2.5.4.4",
  givenName: "2.5.4.42",
  organization: "2.5.4.10",
  inn: "1.2.643.3.131.1.1",
  innle: "1.2.643.100.4",
  ogrn: "1.2.643.100.1",
  ogrnip: "1.2.643.100.5",
  snils: "1.2.643.100.3",
};

// Public keys of GOST R 34.10-2012, 256 and 512 bits, by what a digest of them is.
const bits = { "1.2.643.7.1.1.1.1": 256, "1.2.643.7.1.1.1.2": 512 };

// children returns the elements inside a constructed one, as {tag, body, next}.
function children(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const one = element(bytes, at);
    found.push(one);
    at = one.next;
  }
  return found;
}

// element reads one element of DER.
function element(bytes, at) {
  const tag = bytes[at];
  let length = bytes[at + 1];
  let from = at + 2;
  if (length > 0x80 && length <= 0x84) {
    const octets = length & 0x7f;
    length = 0;
    for (let i = 0; i < octets; i++) {
      length = length * 256 + bytes[from + i];
    }
    from += octets;
  }
  const next = from + length;
  if (!(next <= bytes.length) || bytes[at + 1] === 0x80) {
    throw new Error("not DER");
  }
  return { tag, body: bytes.subarray(from, next), next };
}

function objectIdentifier(bytes) {
  const arcs = [];
  let arc = 0;
  for (const octet of bytes) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const first = Math.min(Math.floor(arcs[0] / 40), 2);
  return [first, arcs[0] - first * 40, ...arcs.slice(1)].join(".");
}

function time({ tag, body }) {
  let text = String.fromCharCode(...body);
  if (tag === 0x17) {
    text = (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text;
  }
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) {
    throw new Error("not a time");
  }
  return new Date(Date.UTC(parts[1], parts[2] - 1, parts[3], parts[4], parts[5], parts[6]));
}

function text({ tag, body }) {
  return new TextDecoder(tag === 0x1e ? "utf-16be" : "utf-8").decode(body);
}

// read returns {from, to, subject, bits} of a certificate in base64 or PEM; bits is that
// of the digest for its key, undefined if the key is not of GOST R 34.10-2012. It throws
// if it is not a certificate.
export function read(base64) {
  const der = Uint8Array.from(atob(base64.replace(/-----[^-]+-----|\s/g, "")), (c) => c.charCodeAt(0));
  const [tbs] = children(element(der, 0).body);
  const fields = children(tbs.body).filter(({ tag }) => tag !== 0xa0);
  const [, , , validity, name, key] = fields;
  const [from, to] = children(validity.body).map(time);
  const subject = {};
  for (const set of children(name.body)) {
    for (const pair of children(set.body)) {
      const [type, value] = children(pair.body);
      subject[objectIdentifier(type.body)] = text(value);
    }
  }
  const [algorithm] = children(key.body);
  return { from, to, subject, bits: bits[objectIdentifier(children(algorithm.body)[0].body)] };
}

// holder returns the name of the holder, as people know it.
export function holder({ subject }) {
  const person = [subject[OID.surname], subject[OID.givenName]].filter(Boolean).join(" ");
  const company = subject[OID.ogrn] || subject[OID.innle] ? subject[OID.organization] : "";
  return [person || subject[OID.commonName] || "", company].filter(Boolean).join(", ");
}

// kind is the kind of holder, as the gateway names it.
export function kind({ subject }) {
  const legal = subject[OID.ogrn] || subject[OID.innle] || (subject[OID.inn] || "").startsWith("00");
  if (subject[OID.ogrnip]) {
    return "ip";
  }
  if (legal) {
    return subject[OID.surname] || subject[OID.snils] ? "ul" : "ul-auto";
  }
  return subject[OID.inn] || subject[OID.snils] ? "fl" : "other";
}

const kinds = {
  ip: ["индивидуального предпринимателя", "an entrepreneur"],
  ul: ["юридического лица", "a legal entity"],
  "ul-auto": ["юридического лица без указания представителя", "a legal entity without a representative"],
  fl: ["физического лица", "a natural person"],
  other: ["неизвестного владельца", "an unknown holder"],
};

export function day(date) {
  return date.toLocaleDateString("ru-RU", { timeZone: "Europe/Moscow" });
}

// unusable says in both languages why a certificate cannot be used, or returns null.
// wanted are the kinds of holders that are let in; none means any.
export function unusable(certificate, hasKey, wanted, now) {
  const { from, to } = certificate;
  if (to < now) {
    return [`Срок действия истёк ${day(to)}. Получите новый сертификат.`, `It expired on ${day(to)}. Obtain a new one.`];
  }
  if (from > now) {
    return [`Начнёт действовать ${day(from)}.`, `It is valid from ${day(from)} on.`];
  }
  if (!certificate.bits) {
    return ["Ключ не по ГОСТ Р 34.10-2012.", "Its key is not of GOST R 34.10-2012."];
  }
  const whose = kind(certificate);
  if (wanted.length > 0 && !wanted.includes(whose)) {
    return [`Это сертификат ${kinds[whose][0]}: для этого кабинета он не подходит.`, `It is that of ${kinds[whose][1]}, which this cabinet does not serve.`];
  }
  if (!hasKey) {
    return ["На этом компьютере нет его закрытого ключа: подключите носитель.", "Its private key is not here: insert the token."];
  }
  return null;
}
