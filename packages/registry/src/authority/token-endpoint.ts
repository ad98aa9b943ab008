import type { IncomingMessage, ServerResponse } from "node:http";
import { isFactoryError, rfc3339 } from "@touchmark/core";
import type { RegistryConfiguration } from "../configuration/configuration.ts";
import type { Buckets } from "./buckets.ts";
import { anonymousCaller, type CheckParts, checkCredential, type KnownCaller } from "./caller.ts";
import { TOKEN_PATH } from "./challenge.ts";
import { registryAuthorityErrors } from "./errors.ts";
import { remotePlace } from "./failures.ts";
import { parseAuthorization } from "./header.ts";
import { retryAfterOf } from "./retry-later.ts";
import { type Access, intersect, parseScopes } from "./scope.ts";
import { mintToken } from "./token.ts";

/** One line of the audit trail about a token. Never a secret. */
export type TokenAudit = (line: {
  readonly at: string;
  readonly caller: string;
  readonly action: "token";
  /** What the token is for: `NAME:pull,push` each. */
  readonly reference: string;
  readonly status: number;
  readonly code?: string;
  readonly remote: string;
}) => void;

/** What the endpoint needs. */
export interface EndpointParts extends CheckParts {
  readonly buckets: Buckets;
  readonly audit?: TokenAudit;
}

/** Largest form, and longest query. */
const MAX_FORM_BYTES = 16 * 1024;

/**
 * The token endpoint (distribution, token authentication; OAuth2 form): GET with Basic or nothing, POST with a password
 * or a token as refresh token. What is given is what was asked for and is granted, and lives minutes.
 */
export function tokenEndpoint(parts: EndpointParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const path = request.url ?? "";
    if (path !== TOKEN_PATH && !path.startsWith(`${TOKEN_PATH}?`)) return false;
    void answer(parts, request, response, path.slice(TOKEN_PATH.length + 1));
    return true;
  };
}

interface Asked {
  readonly caller: KnownCaller;
  readonly access: readonly Access[];
}

async function answer(
  parts: EndpointParts,
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
): Promise<void> {
  const remote = request.socket.remoteAddress ?? "";
  const audited = { caller: "anonymous", reference: "" };
  try {
    const configuration = parts.configuration();
    parts.buckets.request(`remote ${remotePlace(remote)}`, configuration.rates.remote);
    const { caller, access } = await read(parts, request, query, remote);
    audited.caller = caller.name;
    audited.reference = access.map(({ name, actions }) => `${name}:${actions.join(",")}`).join(" ");
    send(response, 200, given(parts, configuration, caller, access));
    parts.audit?.({ at: rfc3339(parts.clock.now()), ...audited, action: "token", status: 200, remote });
  } catch (error) {
    const failure = isFactoryError(error) ? error : undefined;
    const seconds = failure === undefined ? undefined : retryAfterOf(failure);
    const status = statusOf(failure?.nature, seconds);
    const code = failure?.code ?? "BUG";
    // What cannot be explained is not repeated either.
    const message = failure === undefined || status === 500 ? "the registry failed" : failure.message;
    send(
      response,
      status,
      {
        errors: [
          {
            code: status === 401 ? "UNAUTHORIZED" : status === 429 ? "TOOMANYREQUESTS" : "DENIED",
            message,
            detail: { code },
          },
        ],
        error: status === 401 ? "invalid_grant" : "invalid_request",
        error_description: message,
      },
      {
        ...(status === 401 ? { "www-authenticate": `Basic realm="${parts.configuration().tokens.service}"` } : {}),
        ...(seconds === undefined ? {} : { "retry-after": String(seconds) }),
      },
    );
    parts.audit?.({ at: rfc3339(parts.clock.now()), ...audited, action: "token", status, code, remote });
  }
}

function statusOf(nature: string | undefined, seconds: number | undefined): number {
  if (seconds !== undefined) return 429;
  if (nature === "refused") return 401;
  if (nature === "invalid") return 400;
  return nature === "unavailable" ? 503 : 500;
}

async function read(parts: EndpointParts, request: IncomingMessage, query: string, remote: string): Promise<Asked> {
  const configuration = parts.configuration();
  const isForm = request.method === "POST";
  if (!isForm && request.method !== "GET") throw invalid("GET or POST");
  if (query.length > MAX_FORM_BYTES) throw invalid(`a query of at most ${MAX_FORM_BYTES} characters`);
  const form = new URLSearchParams(isForm ? await bodyOf(request) : query);
  const service = only(form, "service") ?? configuration.tokens.service;
  if (service !== configuration.tokens.service) {
    throw registryAuthorityErrors.make(
      "REGISTRY_TOKEN_SERVICE_WRONG",
      `expected the service ${configuration.tokens.service}, found ${JSON.stringify(service.slice(0, 120))}`,
    );
  }
  const asked = parseScopes(form.getAll("scope"));
  const caller = isForm ? await callerOfForm(parts, form, remote) : await callerOfHeader(parts, request, remote);
  const within = caller.claims === undefined ? asked : narrowed(asked, caller.claims.access);
  return { caller, access: caller.grants === undefined ? within : intersect(within, caller.grants) };
}

async function callerOfHeader(parts: EndpointParts, request: IncomingMessage, remote: string): Promise<KnownCaller> {
  const { authorization } = request.headers;
  if (authorization === undefined) return anonymousCaller(parts.configuration());
  return checkCredential(parts, parseAuthorization(authorization), remote);
}

async function callerOfForm(parts: EndpointParts, form: URLSearchParams, remote: string): Promise<KnownCaller> {
  const grant = only(form, "grant_type");
  if (grant === "refresh_token") {
    return checkCredential(parts, { kind: "bearer", token: only(form, "refresh_token") ?? "" }, remote);
  }
  const user = only(form, "username");
  const password = only(form, "password");
  if (grant !== "password" || user === undefined || password === undefined) {
    throw invalid("the grant type password with username and password, or refresh_token");
  }
  return checkCredential(parts, { kind: "basic", user, password }, remote);
}

/** What a token that was shown holds of what is asked: a token never grows. */
function narrowed(asked: readonly Access[], held: readonly Access[]): readonly Access[] {
  return asked.flatMap((each): Access[] => {
    const same = held.filter((other) => other.type === each.type && other.name === each.name);
    const actions = each.actions.filter((action) => same.some((other) => other.actions.includes(action)));
    return actions.length === 0 ? [] : [{ ...each, actions }];
  });
}

function given(
  parts: EndpointParts,
  configuration: RegistryConfiguration,
  caller: KnownCaller,
  access: readonly Access[],
): object {
  const { clock, keys } = parts;
  const { service, lifetimeSeconds } = configuration.tokens;
  const now = clock.now().getTime();
  // A token that was got with a token ends no later.
  const left =
    caller.claims === undefined ? lifetimeSeconds : Math.floor((caller.claims.expiresAt.getTime() - now) / 1000);
  const { token, claims } = mintToken({
    key: keys.current(),
    clock,
    subject: caller.name,
    service,
    access,
    lifetimeSeconds: Math.max(1, Math.min(lifetimeSeconds, left)),
  });
  return {
    token,
    access_token: token,
    token_type: "Bearer",
    expires_in: Math.floor((claims.expiresAt.getTime() - claims.issuedAt.getTime()) / 1000),
    issued_at: rfc3339(claims.issuedAt),
    scope: access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`).join(" "),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(request.headers["content-type"] ?? "")) {
    throw invalid("a form (application/x-www-form-urlencoded)");
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_FORM_BYTES) throw invalid(`a form of at most ${MAX_FORM_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The one value of a member; two could mean one thing to us and another to somebody before us. */
function only(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name);
  if (values.length > 1) throw invalid(`${name} once`);
  return values[0];
}

function invalid(expected: string): Error {
  return registryAuthorityErrors.make("REGISTRY_TOKEN_REQUEST_INVALID", `expected ${expected}`);
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "cache-control": "no-store",
    "docker-distribution-api-version": "registry/2.0",
    ...headers,
  });
  response.end(bytes);
}
