import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import type { CelValue } from "../value.ts";
import { type NativeTable, noOverload } from "./native.ts";

function decode(frame: Frame, value: CelValue): CelValue {
  if (typeof value !== "string") return noOverload(frame, "base64.decode", value);
  frame.hold(value.length);
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(value);
  const unpadded = value.replace(/=+$/, "");
  const isWhole = value.length % 4 === 0 || unpadded.length === value.length;
  if (!isBase64 || !isWhole || unpadded.length % 4 === 1) raise("CEL_CONVERSION", "expected base64", frame.at);
  return Uint8Array.from(Buffer.from(value, "base64"));
}

function encode(frame: Frame, value: CelValue): CelValue {
  if (!(value instanceof Uint8Array)) return noOverload(frame, "base64.encode", value);
  frame.hold(value.length * 2);
  return Buffer.from(value).toString("base64");
}

/** Bytes as text and back. */
export const encoders: NativeTable = [
  ["base64.decode/1", decode],
  ["base64.encode/1", encode],
];
