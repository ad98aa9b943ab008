import { materialErrors } from "./errors.ts";

/** One packet of git's line framing (gitprotocol-common, "pkt-line Format"). */
export type GitPacket =
  | { readonly kind: "line"; readonly payload: Uint8Array }
  | { readonly kind: "flush" | "delimiter" | "response-end" };

const special = ["flush", "delimiter", "response-end"] as const;
/** Longest packet with its four digits of length. */
const longest = 65_520;
const mostPackets = 200_000;

/**
 * Splits a body into its packets, strictly: four lower-case digits, no length beyond the body, nothing behind the last.
 * @throws MATERIAL_GIT_MALFORMED
 */
export function gitPackets(body: Uint8Array): readonly GitPacket[] {
  const packets: GitPacket[] = [];
  for (let at = 0; at < body.length; ) {
    const digits = Buffer.from(body.subarray(at, at + 4)).toString("latin1");
    if (!/^[0-9a-f]{4}$/.test(digits)) malformed(`four hex digits at byte ${at}, found ${JSON.stringify(digits)}`);
    const length = Number.parseInt(digits, 16);
    const kind = special[length];
    if (kind !== undefined) packets.push({ kind });
    else if (length < 4 || length > longest)
      malformed(`a packet of 4 to ${longest} bytes at byte ${at}, found ${length}`);
    else if (at + length > body.length) malformed(`${length} bytes at byte ${at}, found ${body.length - at}`);
    else packets.push({ kind: "line", payload: body.subarray(at + 4, at + length) });
    at += kind === undefined ? length : 4;
    if (packets.length > mostPackets) malformed(`at most ${mostPackets} packets`);
  }
  return packets;
}

/** The packets as text lines without their line feed, `null` for a delimiter, up to the flush that ends them. */
export function requestLines(body: Uint8Array): readonly (string | null)[] {
  const lines: (string | null)[] = [];
  const packets = gitPackets(body);
  for (const [at, packet] of packets.entries()) {
    if (packet.kind === "flush") {
      if (at !== packets.length - 1) malformed("one request in a body, found bytes behind its flush packet");
      return lines;
    }
    if (packet.kind === "response-end") malformed("a request, found the end of a response");
    if (packet.kind === "delimiter") lines.push(null);
    else if (packet.kind === "line") lines.push(textOf(packet.payload));
  }
  return malformed("a flush packet at the end");
}

function textOf(payload: Uint8Array): string {
  const text = Buffer.from(payload).toString("utf8").replace(/\n$/, "");
  if (/[\u0000-\u001f\u007f\ufffd]/.test(text)) malformed("lines of text without control characters");
  return text;
}

export function malformed(expected: string): never {
  throw materialErrors.make("MATERIAL_GIT_MALFORMED", `expected ${expected}`);
}
