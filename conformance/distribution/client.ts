import { Agent, type IncomingHttpHeaders, request as requestPlain } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";

/** An answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Method and path, for messages. */
  readonly asked: string;
}

/** What to send. */
export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** Sends requests to one registry exactly as told, and answers challenges when it has a user. */
export class RegistryCaller {
  readonly #base: URL;
  readonly #user: string | undefined;
  readonly #agents = { "http:": new Agent({ keepAlive: true }), "https:": new TlsAgent({ keepAlive: true }) };
  readonly #tokens = new Map<string, string>();

  /** @param user `NAME:PASSWORD` */
  constructor(url: string, user?: string) {
    this.#base = new URL(url);
    this.#user = user;
  }

  /** @param target a path, or an address as a `Location` gave it */
  async send(method: string, target: string, ask: Ask = {}): Promise<Answer> {
    const scope = scopeOf(method, target);
    const first = await this.#once(method, target, ask, this.#authorization(scope));
    const challenge = first.headers["www-authenticate"];
    if (first.status !== 401 || challenge === undefined || this.#tokens.has(scope)) return first;
    if (!/^Bearer /i.test(challenge)) return first;
    this.#tokens.set(scope, await this.#token(challenge));
    return this.#once(method, target, ask, this.#authorization(scope));
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #authorization(scope: string): string | undefined {
    const token = this.#tokens.get(scope);
    if (token !== undefined) return `Bearer ${token}`;
    return this.#user === undefined ? undefined : `Basic ${Buffer.from(this.#user).toString("base64")}`;
  }

  async #token(challenge: string): Promise<string> {
    const parts = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((found) => [found[1], found[2] ?? ""]));
    const realm = new URL(parts.get("realm") ?? "");
    for (const name of ["service", "scope"]) {
      const value = parts.get(name);
      if (value !== undefined) realm.searchParams.set(name, value);
    }
    const basic = this.#user === undefined ? undefined : `Basic ${Buffer.from(this.#user).toString("base64")}`;
    const answer = await this.#once("GET", realm.href, {}, basic);
    const body = JSON.parse(answer.body.toString()) as { token?: string; access_token?: string };
    return body.token ?? body.access_token ?? "";
  }

  #once(method: string, target: string, ask: Ask, authorization: string | undefined): Promise<Answer> {
    // Paths are sent as they are: some checks send what no URL parser would leave alone.
    const absolute = /^https?:\/\//.test(target) ? new URL(target) : undefined;
    const to = absolute ?? this.#base;
    const path = absolute === undefined ? target : absolute.pathname + absolute.search;
    const isTls = to.protocol === "https:";
    const length = ask.body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(ask.body)) };
    const needsLength = ask.body === undefined && ["POST", "PUT", "PATCH"].includes(method);
    const options = {
      ...{ method, path, host: to.hostname.replace(/^\[|\]$/g, ""), port: to.port || (isTls ? 443 : 80) },
      agent: this.#agents[isTls ? "https:" : "http:"],
      headers: {
        ...(needsLength ? { "Content-Length": "0" } : length),
        ...ask.headers,
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
    };
    return new Promise((resolve, reject) => {
      const sent = (isTls ? requestTls : requestPlain)(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        response.on("end", () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks), asked: `${method} ${path}` });
        });
      });
      sent.setTimeout(60_000, () => sent.destroy(new Error(`no answer to ${method} ${path} within 60 s`)));
      sent.on("error", reject);
      sent.end(ask.body);
    });
  }
}

function scopeOf(method: string, target: string): string {
  const name = /\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(target)?.[1] ?? "";
  const kind = method === "GET" || method === "HEAD" ? "pull" : method === "DELETE" ? "delete" : "push";
  return `${name} ${kind}`;
}
