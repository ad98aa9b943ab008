import type { NetworkAttempt } from "./observation.ts";
import { splitArguments } from "./trace-line.ts";
import { displayName, quotedText } from "./trace-text.ts";

/** An address as a call gave it. */
export interface SocketAddress {
  readonly family: string;
  readonly address: string | undefined;
  readonly port: number | undefined;
}

const MAX_ATTEMPTS = 20_000;

/** Collects attempts to reach a peer or to be reached, one row per process, call, address and result. */
export class NetworkLedger {
  readonly #rows = new Map<string, { -readonly [K in keyof NetworkAttempt]: NetworkAttempt[K] }>();
  overflowed = false;

  call(pid: number, call: string, args: string, result: string): void {
    const outcome = /^-1 (E[A-Z0-9]+)/.exec(result)?.[1] ?? (/^\d/.test(result) ? "ok" : "unknown");
    for (const peer of peers(call, args)) this.#add(pid, call, peer, outcome);
  }

  #add(pid: number, call: string, peer: SocketAddress, result: string): void {
    const key = JSON.stringify([pid, call, peer.family, peer.address, peer.port, result]);
    const row = this.#rows.get(key);
    if (row !== undefined) row.count++;
    else if (this.#rows.size >= MAX_ATTEMPTS) this.overflowed = true;
    else this.#rows.set(key, { pid, call, ...peer, result, count: 1 });
  }

  list(): NetworkAttempt[] {
    return [...this.#rows.values()];
  }
}

function peers(call: string, args: string): SocketAddress[] {
  const parts = splitArguments(args);
  const found = (text: string | undefined) => {
    const peer = text === undefined ? undefined : socketAddress(text);
    return peer === undefined ? [] : [peer];
  };
  switch (call) {
    case "connect":
    case "bind":
      return found(parts[1]);
    case "sendto":
      return found(parts[4]);
    case "sendmsg":
      return found(messageName(parts[1], "{msg_name="));
    case "sendmmsg":
      return splitArguments((parts[1] ?? "").replace(/^\[|\]$/g, "")).flatMap((message) =>
        found(messageName(message, "{msg_hdr={msg_name=")),
      );
    default:
      return [];
  }
}

/** The address is the first member, so that what follows (the step's own bytes) is never searched. */
function messageName(message: string | undefined, prefix: string): string | undefined {
  return message?.startsWith(prefix) ? splitArguments(message.slice(prefix.length))[0] : undefined;
}

/** Reads `{sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}`. */
export function socketAddress(text: string): SocketAddress | undefined {
  const family = /^\{sa_family=(AF_[A-Z0-9]+|0x[0-9a-f]+|\d+)/.exec(text)?.[1];
  if (family === undefined) return undefined;
  const inet = /^\{sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([0-9.]+)"\)/.exec(text);
  if (inet !== null) return { family, address: inet[2], port: Number(inet[1]) };
  const inet6 =
    /^\{sa_family=AF_INET6, sin6_port=htons\((\d+)\), (?:sin6_flowinfo=[^,]*, )?inet_pton\(AF_INET6, "([0-9a-f:.]+)"/.exec(
      text,
    );
  if (inet6 !== null) return { family, address: inet6[2], port: Number(inet6[1]) };
  const unix = /^\{sa_family=AF_UNIX, sun_path=(@?)(".*")\}$/s.exec(text);
  const path = unix?.[2] === undefined ? undefined : quotedText(unix[2]);
  if (path !== undefined) return { family, address: `${unix?.[1] ?? ""}${displayName(path.text)}`, port: undefined };
  return { family, address: undefined, port: undefined };
}
