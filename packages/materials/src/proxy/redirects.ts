import type { UpstreamPassage } from "../door.ts";
import { proxyErrors } from "./errors.ts";
import { parseAuthority, quoted } from "./target.ts";
import type { Question, UpstreamHead, UpstreamTransport } from "./transport.ts";

const MAX_REDIRECTS = 10;
const statuses = new Set([301, 302, 303, 307, 308]);

/** An answer that is no redirect, and the way to it. */
export interface Followed {
  readonly head: UpstreamHead;
  readonly url: URL;
  readonly redirects: readonly string[];
}

/** What following needs of a passage. */
export type RedirectRules = Pick<UpstreamPassage, "redirect" | "allowPrivate" | "allowPrivateRedirect">;

/**
 * Asks, and follows redirects, each of which the door is asked about first. `extra` headers go with every hop.
 * @throws PROXY_REDIRECT_… and whatever door and transport throw; SPEC P9
 */
export async function follow(
  transport: UpstreamTransport,
  question: Question,
  rules: RedirectRules,
  extra: Readonly<Record<string, string>>,
): Promise<Followed> {
  const redirects: string[] = [];
  const seen = new Set([question.url.href]);
  let { url, headers, allowPrivate } = question;
  for (;;) {
    const head = await transport.ask({ ...question, url, headers: { ...headers, ...extra }, allowPrivate });
    const location = head.headers.location;
    if (!statuses.has(head.status) || location === undefined) return { head, url, redirects };
    // What a redirect says beside its address is nobody's business; a short rest is read to keep the connection.
    if (Number(head.headers["content-length"] ?? 65_537) <= 65_536) head.message.resume();
    else head.message.destroy();
    if (question.method === "POST" && head.status < 307) {
      throw proxyErrors.make("PROXY_REDIRECT_MALFORMED", `expected 307 or 308 for a POST, found ${head.status}`);
    }
    const to = redirectTarget(location, url);
    if (url.protocol === "https:" && to.protocol !== "https:") {
      throw proxyErrors.make("PROXY_REDIRECT_DOWNGRADE", `expected https after https, found ${quoted(to.href)}`);
    }
    if (seen.has(to.href)) {
      throw proxyErrors.make("PROXY_REDIRECT_LOOP", `expected a new address, found ${quoted(to.href)} again`);
    }
    if (redirects.length === MAX_REDIRECTS) {
      throw proxyErrors.make("PROXY_REDIRECT_LIMIT", `expected at most ${MAX_REDIRECTS} redirects, found more`);
    }
    headers = await rules.redirect(to);
    allowPrivate =
      (rules.allowPrivate && to.hostname === question.url.hostname) || rules.allowPrivateRedirect?.(to) === true;
    seen.add(to.href);
    redirects.push(to.href);
    url = to;
  }
}

function redirectTarget(location: string, from: URL): URL {
  let to: URL | undefined;
  try {
    if (/^[\x21-\x7e]+$/.test(location)) to = new URL(location, from);
  } catch {}
  if (
    to === undefined ||
    (to.protocol !== "http:" && to.protocol !== "https:") ||
    to.username !== "" ||
    to.password !== ""
  ) {
    throw proxyErrors.make(
      "PROXY_REDIRECT_MALFORMED",
      `expected an http address without user, found ${quoted(location)}`,
    );
  }
  parseAuthority(to.host, 443);
  to.hash = "";
  return to;
}
