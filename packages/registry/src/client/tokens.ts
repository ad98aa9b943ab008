import { type Clock, type Json, parseJson } from "@touchmark/core";
import { isPrivateHost } from "./addresses.ts";
import { readBody } from "./body.ts";
import type { Challenge } from "./challenge.ts";
import type { Credential, CredentialSource } from "./credentials.ts";
import { clientErrors } from "./errors.ts";
import type { Answer, Question } from "./transport.ts";

/** What is to be done with a repository, in the words of token services. */
export type Scope = "pull" | "push" | "delete";

/** Asks, following redirects, with the credentials in `headers` for the first host alone. */
export type Ask = (question: Question) => Promise<Answer>;

const MAX_TOKEN_ANSWER = 256 * 1024;
const MAX_TOKEN = 64 * 1024;
/** The token specification's default; what says nothing is used for so long. */
const DEFAULT_SECONDS = 60;
const MARGIN_SECONDS = 10;
const MAX_SECONDS = 3600;

interface Token {
  readonly text: string;
  readonly until: number;
}

/** Gets bearer tokens for one registry: one dance at a time for each scope, kept until shortly before they expire. */
export class TokenDance {
  readonly #registry: string;
  readonly #credentials: CredentialSource;
  readonly #clock: Clock;
  readonly #ask: Ask;
  readonly #tokens = new Map<string, Promise<Token>>();
  /** Refresh tokens that the service handed out, by service. */
  readonly #refresh = new Map<string, string>();

  constructor(registry: string, credentials: CredentialSource, clock: Clock, ask: Ask) {
    this.#registry = registry;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#ask = ask;
  }

  /**
   * The Authorization header for a challenge; undefined when there is nothing to show.
   * @param refused a header that was just refused: a token is not used again
   * @throws OCI_CLIENT_REALM_REFUSED | OCI_CLIENT_TOKEN_MALFORMED | OCI_CLIENT_UNAUTHORIZED; SPEC C2
   */
  async header(
    challenge: Challenge,
    wanted: { readonly repository: string; readonly scopes: readonly string[] },
    place: { readonly url: URL; readonly allowPrivate: boolean },
    refused?: string,
  ): Promise<string | undefined> {
    if (challenge.scheme === "basic") {
      const credential = await this.#credentials(this.#registry, wanted.repository);
      return credential?.kind === "password" ? basic(credential) : undefined;
    }
    checkRealm(challenge.realm, place.url);
    const key = JSON.stringify([challenge.realm.href, challenge.service, ...wanted.scopes]);
    const before = this.#tokens.get(key);
    const known = await before?.catch(() => undefined);
    if (known !== undefined && known.until > this.#clock.now().getTime() && `Bearer ${known.text}` !== refused) {
      return `Bearer ${known.text}`;
    }
    // From here on nothing waits: whoever comes later joins the dance that the first one began.
    let dance = this.#tokens.get(key);
    if (dance === undefined || dance === before) {
      const allowPrivate = place.allowPrivate || challenge.realm.hostname === place.url.hostname;
      const begun = this.#dance(challenge, wanted, allowPrivate);
      begun.catch(() => this.#tokens.get(key) === begun && this.#tokens.delete(key));
      this.#tokens.set(key, begun);
      dance = begun;
    }
    return `Bearer ${(await dance).text}`;
  }

  async #dance(
    challenge: Challenge & { scheme: "bearer" },
    { repository, scopes }: { readonly repository: string; readonly scopes: readonly string[] },
    allowPrivate: boolean,
  ): Promise<Token> {
    const credential = await this.#credentials(this.#registry, repository);
    if (credential?.kind === "bearer") return { text: credential.token, until: Number.POSITIVE_INFINITY };
    const service = challenge.service ?? "";
    const stored = this.#refresh.get(service) ?? (credential?.kind === "identity" ? credential.token : undefined);
    if (stored !== undefined) {
      const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: stored, client_id: "touchmark" });
      if (service !== "") form.set("service", service);
      form.set("scope", scopes.join(" "));
      return this.#take(
        await this.#ask({
          method: "POST",
          url: challenge.realm,
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: Buffer.from(form.toString()),
          allowPrivate,
        }),
        service,
      );
    }
    const url = new URL(challenge.realm);
    if (service !== "") url.searchParams.set("service", service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    const headers: Record<string, string> = {};
    if (credential?.kind === "password") {
      url.searchParams.set("account", credential.user);
      headers.authorization = basic(credential);
    }
    return this.#take(await this.#ask({ method: "GET", url, headers, allowPrivate }), service);
  }

  async #take(answer: Answer, service: string): Promise<Token> {
    const host = this.#registry;
    if (answer.status !== 200) {
      answer.message.resume();
      const found = `the token service of ${host} to give a token, found status ${answer.status}`;
      if (answer.status >= 500 || answer.status === 429) {
        throw clientErrors.make("OCI_CLIENT_SERVER_FAILED", `expected ${found}`);
      }
      throw clientErrors.make("OCI_CLIENT_UNAUTHORIZED", `expected ${found}`);
    }
    const malformed = (what: string) =>
      clientErrors.make(
        "OCI_CLIENT_TOKEN_MALFORMED",
        `expected a token of the token service of ${host}, found ${what}`,
      );
    const bytes = await readBody(answer.message, MAX_TOKEN_ANSWER, "a token");
    let body: { readonly [name: string]: Json };
    try {
      body = parseJson(bytes, { maxDepth: 8 }) as { readonly [name: string]: Json };
    } catch {
      throw malformed("no JSON");
    }
    if (typeof body !== "object" || body === null) throw malformed("no object");
    const text = body.token ?? body.access_token;
    if (typeof text !== "string" || text.length > MAX_TOKEN || !/^[\x21-\x7e]+$/.test(text)) throw malformed("none");
    const expires = body.expires_in;
    const seconds = typeof expires === "number" && expires > 0 ? Math.min(expires, MAX_SECONDS) : DEFAULT_SECONDS;
    if (typeof body.refresh_token === "string" && body.refresh_token !== "" && body.refresh_token.length <= MAX_TOKEN) {
      this.#refresh.set(service, body.refresh_token);
    }
    const now = this.#clock.now().getTime();
    return { text, until: now + Math.max(seconds - MARGIN_SECONDS, seconds / 2) * 1000 };
  }
}

const basic = ({ user, password }: Credential & { kind: "password" }): string =>
  `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;

/** A registry over https names a token service over https; one at a private address may name a private one. */
function checkRealm(realm: URL, registry: URL): void {
  const wrong =
    (realm.protocol !== "https:" && realm.protocol !== "http:") || realm.username !== "" || realm.password !== ""
      ? "another address"
      : realm.protocol === "http:" && (registry.protocol === "https:" || !isSameHost(realm, registry))
        ? "plain http"
        : undefined;
  if (wrong === undefined) return;
  throw clientErrors.make(
    "OCI_CLIENT_REALM_REFUSED",
    `expected an https token service of ${registry.host}, found ${wrong} (${realm.protocol}//${realm.host})`,
  );
}

/** Plain http is spoken with hosts alone that the user allowed it for: the registry's own, and this host itself. */
const isSameHost = (realm: URL, registry: URL): boolean =>
  realm.hostname === registry.hostname || (isPrivateHost(realm.hostname) && isPrivateHost(registry.hostname));
