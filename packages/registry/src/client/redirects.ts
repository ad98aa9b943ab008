import { isPrivateAddress, isPrivateHost } from "./addresses.ts";
import { dropBody } from "./body.ts";
import { clientErrors } from "./errors.ts";
import type { Answer, Question, Transport } from "./transport.ts";

const MAX_REDIRECTS = 5;
const statuses = new Set([301, 302, 303, 307, 308]);
/** What stays with the host that it was meant for. */
const ownHeaders = new Set(["authorization", "cookie", "proxy-authorization"]);

/** An answer, and where it came from in the end. */
export interface Followed extends Answer {
  readonly url: URL;
}

/**
 * Asks, and follows up to five redirects of a question that changes nothing. Credentials do not go to another origin,
 * https does not become http, and only a host at a private address may send to another such host.
 * @throws OCI_CLIENT_REDIRECT_… | OCI_CLIENT_PRIVATE_ADDRESS, and what the transport throws; SPEC C6
 */
export async function follow(transport: Transport, question: Question): Promise<Followed> {
  let current = question;
  const seen = new Set<string>();
  for (;;) {
    const answer = await transport.ask(current);
    const location = answer.headers.location;
    if (!statuses.has(answer.status) || location === undefined) return { ...answer, url: current.url };
    dropBody(answer.message);
    const from = current.url;
    if (current.method !== "GET" && current.method !== "HEAD") {
      throw clientErrors.make(
        "OCI_CLIENT_REDIRECT_METHOD",
        `expected ${from.host} to answer a ${current.method}, found status ${answer.status}`,
      );
    }
    const to = target(location, from);
    if (from.protocol === "https:" && to.protocol !== "https:") {
      throw clientErrors.make(
        "OCI_CLIENT_REDIRECT_DOWNGRADE",
        `expected https after ${from.host}, found http://${to.host}`,
      );
    }
    seen.add(from.href);
    if (seen.has(to.href) || seen.size > MAX_REDIRECTS) {
      const found = seen.has(to.href) ? "a circle" : "more";
      throw clientErrors.make(
        "OCI_CLIENT_REDIRECT_LIMIT",
        `expected at most ${MAX_REDIRECTS} redirects, found ${found}`,
      );
    }
    const headers = Object.entries(current.headers).filter(
      ([name]) => from.origin === to.origin || !ownHeaders.has(name),
    );
    current = {
      ...current,
      url: to,
      headers: Object.fromEntries(headers),
      allowPrivate: current.allowPrivate && (to.hostname === from.hostname || isAtPrivateAddress(from, answer)),
    };
  }
}

/** True when an answer came from a private address; through a proxy, when the very name says so. */
export const isAtPrivateAddress = (url: URL, { remote }: Answer): boolean =>
  remote === undefined ? isPrivateHost(url.hostname) : isPrivateAddress(remote);

function target(location: string, from: URL): URL {
  const to = location.length <= 8192 && /^[\x21-\x7e]+$/.test(location) ? URL.parse(location, from.href) : null;
  if (to === null || !/^https?:$/.test(to.protocol) || to.username !== "" || to.password !== "") {
    throw clientErrors.make(
      "OCI_CLIENT_REDIRECT_MALFORMED",
      `expected a web address without user from ${from.host}, found ${JSON.stringify(location.slice(0, 80))}`,
    );
  }
  to.hash = "";
  return to;
}
