/** DER (ITU-T X.690): the writer's half only, for the few ASN.1 shapes of an X.509 certificate. Nothing here reads DER:
 *  certificates of others are parsed by OpenSSL, through node:crypto.                                                  */

const CONSTRUCTED = 0x20;
const CONTEXT = 0x80;

/** One tag-length-value. `tag` is the whole identifier octet; lengths are in the shortest form, as DER demands. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(body.length), body]);
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return tlv(0x30, ...items);
}

export function set(...items: readonly Uint8Array[]): Uint8Array {
  return tlv(0x31, ...items);
}

/** `[number]` with the items inside it. */
export function explicit(number: number, ...items: readonly Uint8Array[]): Uint8Array {
  return tlv(CONTEXT | CONSTRUCTED | number, ...items);
}

/** `[number]` in place of a primitive's own tag. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return tlv(CONTEXT | number, content);
}

export const TRUE: Uint8Array = Uint8Array.of(0x01, 0x01, 0xff);

/** A non-negative INTEGER from its big-endian octets. */
export function unsigned(octets: Uint8Array): Uint8Array {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start += 1;
  const shortest = octets.subarray(start);
  return tlv(0x02, (shortest[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : Uint8Array.of(), shortest);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128))
      septets.unshift(0x80 | (high % 128));
    octets.push(...septets);
  }
  return tlv(0x06, Uint8Array.from(octets));
}

export function octetString(content: Uint8Array): Uint8Array {
  return tlv(0x04, content);
}

/** BIT STRING; `unusedBits` of the last octet do not count. */
export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return tlv(0x03, Uint8Array.of(unusedBits), content);
}

export function utf8(text: string): Uint8Array {
  return tlv(0x0c, Buffer.from(text, "utf8"));
}

/** UTCTime up to 2049, GeneralizedTime after it (RFC 5280 4.1.2.5). */
export function time(date: Date): Uint8Array {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, "")
    .replace(/[-:T]/g, "");
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? tlv(0x17, Buffer.from(digits.slice(2) + "Z", "ascii"))
    : tlv(0x18, Buffer.from(digits + "Z", "ascii"));
}
