/** DER spelled by hand for the mint: independent of the product's own writer, and able to spell what that would not. */

/** One element of any tag. */
export function asn1(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  const header = length < 0x80 ? [length] : [0x80 | octets.length, ...octets];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => asn1(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => asn1(0x31, ...parts);
export const octets = (content: Uint8Array): Buffer => asn1(0x04, content);
export const bits = (content: Uint8Array, unused = 0): Buffer => asn1(0x03, Buffer.from([unused]), content);
export const utf8 = (text: string): Buffer => asn1(0x0c, Buffer.from(text));
export const yes = (): Buffer => asn1(0x01, Buffer.from([0xff]));

/** INTEGER from big-endian bytes or a small number. */
export function integer(value: number | Uint8Array): Buffer {
  const bytes = typeof value === "number" ? Buffer.from([value]) : Buffer.from(value);
  return asn1(0x02, (bytes[0] as number) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const groups = [part % 128];
    for (let more = Math.floor(part / 128); more > 0; more = Math.floor(more / 128))
      groups.unshift((more % 128) | 0x80);
    return groups;
  });
  return asn1(0x06, Buffer.from(bytes));
}

/** AlgorithmIdentifier. */
export const algorithm = (dotted: string, ...parameters: readonly Uint8Array[]): Buffer =>
  sequence(oid(dotted), ...parameters);

/** GeneralizedTime, with milliseconds where they are not zero. */
export function generalizedTime(at: Date): Buffer {
  const text = at.toISOString().replace(/[-:T]/g, "");
  const [seconds = "", fraction = ""] = text.slice(0, -1).split(".");
  const digits = fraction.replace(/0+$/, "");
  return asn1(0x18, Buffer.from(`${seconds}${digits === "" ? "" : `.${digits}`}Z`));
}

/** UTCTime. */
export function utcTime(at: Date): Buffer {
  return asn1(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));
}

/** Name with an organization and a common name. */
export function distinguishedName(organization: string, commonName: string): Buffer {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)));
  return sequence(attribute("2.5.4.10", organization), attribute("2.5.4.3", commonName));
}
