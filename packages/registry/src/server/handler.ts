import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "@touchmark/core";
import { retryAfterOf } from "../authority/retry-later.ts";
import type { RegistryCaller } from "../authority.ts";
import { everyAnswer } from "./answer.ts";
import { registryServerErrors } from "./errors.ts";
import type { Exchange, RegistryParts, RegistryService } from "./exchange.ts";
import { defaultLimits } from "./limits.ts";
import { discardRest, isWaiting } from "./lingering.ts";
import { ManifestCache } from "./manifest-cache.ts";
import { OpenUploads } from "./open-uploads.ts";
import { methodsOf, type Operation, operationFor } from "./operations.ts";
import { splitTarget } from "./query.ts";
import { refusalBody, refusalOf } from "./refusal.ts";
import { type Route, routeOf } from "./route.ts";

/** Answers requests of distribution-spec 1.1. */
export type RegistryHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** The registry as a function of a request: for a server of its own, or one of the caller's (SPEC D). */
export function registryHandler(parts: RegistryParts): RegistryHandler {
  const limits = { ...defaultLimits, ...parts.limits };
  const service: RegistryService = {
    backend: parts.backend,
    authority: parts.authority,
    tagRules: parts.tagRules ?? { judge: async () => ({ immutable: false }) },
    limits,
    audit: parts.audit,
    failed: parts.failed ?? ignore,
    clock: parts.clock ?? systemClock,
    url: parts.url?.replace(/\/$/, "") ?? "",
    cache: new ManifestCache(limits.cacheBytes, limits.cacheSeconds * 1000),
    uploads: new OpenUploads(limits.uploadsPerCaller, limits.uploadSeconds * 1000),
  };
  const latest = new WeakMap<Socket, ServerResponse>();
  return (request, response) => {
    // Whoever waits for a body hears of its end by itself; without a listener an aborted request would end the process.
    request.on("error", ignore);
    response.on("error", ignore);
    if (service.authority.answer?.(request, response) === true) return;
    // What a client asks for in advance waits: else one connection could have a thousand answers made at once.
    const before = latest.get(request.socket);
    latest.set(request.socket, response);
    if (before === undefined || before.writableFinished) void answer(service, request, response);
    else {
      before.once("close", () => {
        if (!request.socket.destroyed) void answer(service, request, response);
      });
    }
  };
}

function ignore(): void {}

const nobody: RegistryCaller = { name: "anonymous", may: () => false };

async function answer(service: RegistryService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const remote = request.socket.remoteAddress?.replace(/^::ffff:(?=[0-9.]+$)/, "") ?? "local";
  const { path, query } = splitTarget(request.url ?? "");
  const exchange: Exchange = {
    ...{ service, request, response, query, remote },
    ...{ caller: nobody, waits: isWaiting(request), bytes: 0 },
  };
  let route: Route | undefined;
  let operation: Operation | undefined;
  let code: string | undefined;
  try {
    route = routeOf(path);
    operation = operationFor(route.kind, request.method ?? "");
    if (operation === undefined) {
      response.setHeader("Allow", methodsOf(route.kind));
      throw registryServerErrors.make("REGISTRY_METHOD_UNSUPPORTED", `expected one of ${methodsOf(route.kind)}`);
    }
    exchange.caller = await identified(exchange, route, operation.action);
    await operation.run(exchange, route.repository, route.reference);
  } catch (error) {
    code = refuse(exchange, error, route);
  }
  if (service.audit !== undefined) report(exchange, route, operation, code);
}

async function identified(exchange: Exchange, route: Route, wanted: Operation["action"]): Promise<RegistryCaller> {
  const { request, response, service, remote } = exchange;
  const { repository } = route;
  const action = wanted === "check" ? "pull" : wanted;
  const found = await service.authority.identify(request.headers.authorization, { action, repository }, remote);
  if ("challenge" in found) {
    response.setHeader("WWW-Authenticate", found.challenge);
    throw registryServerErrors.make("REGISTRY_UNAUTHORIZED", found.reason);
  }
  if (wanted !== "check" && !found.may(action, repository)) {
    // The name of the caller stands in the audit line, also when it is refused.
    exchange.caller = found;
    throw registryServerErrors.make("REGISTRY_DENIED", `expected a caller who may ${action} ${repository || "lists"}`);
  }
  return found;
}

/** Says an error to the client; where the answer has begun, the connection breaks instead. @returns our code */
function refuse(exchange: Exchange, thrown: unknown, route: Route | undefined): string {
  const { request, response, service } = exchange;
  const refusal = refusalOf(thrown, route?.kind);
  const { status, error } = refusal;
  if (error.nature === "bug" || error.nature === "unavailable") service.failed(thrown);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return error.code;
  }
  const body = refusalBody(refusal);
  const fields = [...everyAnswer, "Content-Type", "application/json", "Content-Length", String(body.length)];
  const wait = retryAfterOf(error) ?? (status === 429 ? 1 : undefined);
  if (wait !== undefined) fields.push("Retry-After", String(Math.max(1, Math.ceil(wait))));
  // What still waits for `100 Continue` may or may not send its body now; nothing after it could be told apart.
  if (exchange.waits || status === 408) fields.push("Connection", "close");
  response.writeHead(status, fields);
  response.end(body);
  discardRest(request);
  return error.code;
}

function report(
  exchange: Exchange,
  route: Route | undefined,
  operation: Operation | undefined,
  code: string | undefined,
): void {
  const { service, request, response, caller, remote, bytes } = exchange;
  try {
    service.audit?.({
      at: service.clock.now(),
      caller: caller.name,
      action: operation?.action ?? "check",
      repository: route?.repository ?? "",
      reference: (route?.reference ?? "").slice(0, 200),
      status: response.statusCode,
      bytes,
      remote,
      method: request.method ?? "",
      ...(code === undefined ? {} : { code }),
    });
  } catch (error) {
    service.failed(error);
  }
}
