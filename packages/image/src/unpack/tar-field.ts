import { unpackErrors } from "./errors.ts";

/** Length of a tar record. */
export const TAR_RECORD = 512;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Refuses a record whose checksum is not that of its bytes. @throws UNPACK_HEADER_CHECKSUM */
export function checkSum(block: Buffer): void {
  let sum = 8 * 0x20;
  for (let i = 0; i < 148; i++) sum += block[i] as number;
  for (let i = 156; i < TAR_RECORD; i++) sum += block[i] as number;
  const written = /^ *([0-7]+)[\0 ]*$/.exec(block.toString("latin1", 148, 156))?.[1];
  if (written === undefined || Number.parseInt(written, 8) !== sum) {
    throw unpackErrors.make(
      "UNPACK_HEADER_CHECKSUM",
      `expected a header with checksum ${sum.toString(8)}, found another`,
    );
  }
}

/**
 * A number in octal, or in GNU's base 256. An empty field is 0.
 * @throws UNPACK_HEADER_BAD | UNPACK_NUMBER_NEGATIVE
 */
export function numberField(block: Buffer, at: number, length: number, what: string, signed = false): number {
  const first = block[at] as number;
  if (first >= 0x80) return wideNumber(block.subarray(at, at + length), what, signed);
  const written = block.toString("latin1", at, at + length);
  const digits = /^[ \0]*([0-7]*)[\0 ]*$/.exec(written)?.[1];
  if (digits === undefined) {
    if (/^[ \0]*-/.test(written)) throw negative(what);
    throw unpackErrors.make("UNPACK_HEADER_BAD", `expected a ${what} in octal, found ${JSON.stringify(written)}`);
  }
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function wideNumber(field: Buffer, what: string, signed: boolean): number {
  const first = field[0] as number;
  const isNegative = (first & 0x40) !== 0;
  if (isNegative && !signed) throw negative(what);
  let value = BigInt(isNegative ? first - 0x100 : first & 0x3f);
  for (let i = 1; i < field.length; i++) value = (value << 8n) | BigInt(field[i] as number);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw unpackErrors.make("UNPACK_HEADER_BAD", `expected a ${what}, found ${value}`);
  return number;
}

/** Text up to the first NUL. @throws UNPACK_NAME_INVALID */
export function textField(block: Buffer, at: number, length: number): string {
  const limit = at + length;
  const end = block.indexOf(0, at);
  return utf8(block.subarray(at, end < 0 || end > limit ? limit : end));
}

/** Strict UTF-8: whatever else a name is made of, two readers spell differently. @throws UNPACK_NAME_INVALID */
export function utf8(bytes: Buffer): string {
  const text = bytes.toString("latin1");
  // Nearly every name is ASCII, for which the decoder costs ten times as much.
  if (!/[\u0080-\u00ff]/.test(text)) return text;
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw unpackErrors.make("UNPACK_NAME_INVALID", `expected UTF-8, found ${shown(text)}`, { cause });
  }
}

function negative(what: string): Error {
  return unpackErrors.make("UNPACK_NUMBER_NEGATIVE", `expected a ${what} of 0 or more, found a negative one`);
}

/** A name of a stranger, fit for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200).replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "?"));
}
