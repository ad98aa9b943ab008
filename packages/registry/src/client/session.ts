import type { Clock } from "@touchmark/core";
import { isFactoryError } from "@touchmark/core";
import { isLoopbackHost } from "./addresses.ts";
import { dropBody, errorWords } from "./body.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import type { CredentialSource } from "./credentials.ts";
import { clientErrors } from "./errors.ts";
import { type Followed, follow, isAtPrivateAddress } from "./redirects.ts";
import type { ClientPatience } from "./settings.ts";
import { type Scope, TokenDance } from "./tokens.ts";
import type { Question, Transport } from "./transport.ts";

/** What a session needs of its client. */
export interface SessionOptions {
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly patience: ClientPatience;
  readonly plainHttp: boolean;
  pause(ms: number): Promise<void>;
}

/** One request to a registry, by its path. */
export interface RegistryQuestion {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From `/v2/` on, with its query; or a whole address of the same origin, as an upload's location is. */
  readonly path: string | URL;
  readonly repository: string;
  readonly scopes: readonly Scope[];
  /** A further repository that is read from (mounting). */
  readonly alsoPull?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Question["body"];
  /** A transfer that must not be sent twice blindly; its breaks are its owner's affair. */
  readonly once?: boolean;
}

/** Talks to one registry: finds its scheme, shows credentials when asked, tries again what may pass. */
export class RegistrySession {
  readonly registry: string;
  readonly #options: SessionOptions;
  readonly #tokens: TokenDance;
  #origin: Promise<URL> | undefined;
  #challenge: Challenge | undefined;
  /** The registry has a private address, and may name a token service that has one. */
  #isPrivate = false;

  constructor(registry: string, options: SessionOptions) {
    this.registry = registry;
    this.#options = options;
    this.#tokens = new TokenDance(registry, options.credentials, options.clock, (question) =>
      follow(options.transport, question),
    );
  }

  /** The registry's own origin. */
  origin(): Promise<URL> {
    this.#origin ??= this.#findOrigin();
    this.#origin.catch(() => {
      this.#origin = undefined;
    });
    return this.#origin;
  }

  /**
   * Asks. Answers with a status below 400, or 404, or 416; everything else is an error.
   * @throws OCI_CLIENT_… ; SPEC C1, C6
   */
  async ask(question: RegistryQuestion): Promise<Followed> {
    const { patience } = this.#options;
    const attempts = question.once === true ? 1 : patience.attempts;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#askOnce(question);
      } catch (error) {
        const pause = pauseBefore(error, attempt, patience);
        if (pause === undefined || attempt >= attempts) throw error instanceof Busy ? error.failure : error;
        await this.#options.pause(pause);
      }
    }
  }

  async #askOnce(question: RegistryQuestion): Promise<Followed> {
    const origin = await this.origin();
    const url = question.path instanceof URL ? question.path : new URL(question.path, origin);
    const wanted = { repository: question.repository, scopes: scopesOf(question) };
    const send = (authorization: string | undefined): Promise<Followed> =>
      follow(this.#options.transport, {
        method: question.method,
        url,
        headers: { ...question.headers, ...(authorization === undefined ? {} : { authorization }) },
        allowPrivate: true,
        ...(question.body === undefined ? {} : { body: question.body }),
      });
    const shown =
      this.#challenge === undefined
        ? undefined
        : await this.#tokens
            .header(this.#challenge, wanted, { url: origin, allowPrivate: this.#isPrivate })
            .catch(() => undefined);
    const answer = await send(shown);
    if (answer.status !== 401 || answer.url.origin !== url.origin) return this.#judged(answer, question);
    dropBody(answer.message);
    const challenge = parseChallenge(answer.headers["www-authenticate"]);
    this.#challenge = challenge;
    this.#isPrivate = isAtPrivateAddress(url, answer);
    const place = { url: origin, allowPrivate: this.#isPrivate };
    const next = await this.#tokens.header(challenge, wanted, place, shown);
    if (next === undefined || next === shown) throw this.#unauthorized(next);
    const again = await send(next);
    if (again.status === 401) {
      dropBody(again.message);
      throw this.#unauthorized(next);
    }
    return this.#judged(again, question);
  }

  #unauthorized(shown: string | undefined): Error {
    const found = shown === undefined ? "none are known for it" : "those that were shown do not do";
    return clientErrors.make(
      "OCI_CLIENT_UNAUTHORIZED",
      `expected ${this.registry} to take our credentials, found that ${found}`,
    );
  }

  async #judged(answer: Followed, { method, repository }: RegistryQuestion): Promise<Followed> {
    const { status } = answer;
    if ((status >= 200 && status < 300) || status === 404 || status === 416) return answer;
    const { code, words } = await errorWords(answer.message);
    const found = `found status ${status}${words === "" ? "" : ` (${words})`}`;
    const what = `expected ${this.registry} to answer a ${method} for ${repository}, ${found}`;
    if (status === 429 || status >= 500) throw new Busy(clientErrors.make("OCI_CLIENT_SERVER_FAILED", what), answer);
    if (status === 401) throw clientErrors.make("OCI_CLIENT_UNAUTHORIZED", what);
    if (status === 403) throw clientErrors.make("OCI_CLIENT_DENIED", what);
    if (status >= 400)
      throw clientErrors.make("OCI_CLIENT_REJECTED", what, code === "" ? {} : { cause: { code, status } });
    throw clientErrors.make("OCI_CLIENT_STATUS", what);
  }

  /** Plain http where the user allowed it; on this host itself, whatever is spoken there: asked without credentials. */
  async #findOrigin(): Promise<URL> {
    const plain = new URL(`http://${this.registry}/`);
    const secure = new URL(`https://${this.registry}/`);
    if (this.#options.plainHttp) return plain;
    if (!isLoopbackHost(secure.hostname)) return secure;
    const probe = { method: "GET", url: new URL("/v2/", plain), headers: {}, allowPrivate: true };
    try {
      const answer = await this.#options.transport.ask(probe);
      dropBody(answer.message);
      // What Go's servers say to http where they speak https.
      return answer.status === 400 ? secure : plain;
    } catch (error) {
      const cause = isFactoryError(error) ? (error.cause as { code?: string } | undefined)?.code : undefined;
      if (cause === "ECONNREFUSED" || (isFactoryError(error) && error.code === "OCI_CLIENT_SLOW")) throw error;
      return secure;
    }
  }
}

/** A failure that may pass; with the pause that the registry asked for. */
class Busy extends Error {
  readonly failure: Error;
  readonly afterMs: number;

  constructor(failure: Error, { headers }: Followed) {
    super(failure.message);
    this.failure = failure;
    const seconds = /^[0-9]{1,6}$/.test(headers["retry-after"] ?? "") ? Number(headers["retry-after"]) : 0;
    this.afterMs = seconds * 1000;
  }
}

/** Milliseconds until the next attempt; undefined when there is none. */
function pauseBefore(error: unknown, attempt: number, patience: ClientPatience): number | undefined {
  const passing = error instanceof Busy || (isFactoryError(error) && passingCodes.has(error.code));
  const asked = error instanceof Busy ? error.afterMs : 0;
  if (!passing || asked > patience.longestPauseMs) return undefined;
  const doubled = Math.min(patience.pauseMs * 2 ** (attempt - 1), patience.longestPauseMs);
  return Math.max(asked, doubled * (0.5 + Math.random() / 2));
}

const passingCodes = new Set(["OCI_CLIENT_UNREACHABLE", "OCI_CLIENT_SLOW", "OCI_CLIENT_TRUNCATED"]);

/** True for an error that another attempt may do without. */
export const mayPass = (error: unknown): boolean =>
  isFactoryError(error) && (passingCodes.has(error.code) || error.code === "OCI_CLIENT_SERVER_FAILED");

function scopesOf({ repository, scopes, alsoPull }: RegistryQuestion): readonly string[] {
  const own = `repository:${repository}:${scopes.join(",")}`;
  return alsoPull === undefined ? [own] : [own, `repository:${alsoPull}:pull`];
}
