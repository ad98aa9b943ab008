import type { IncomingMessage, ServerResponse } from "node:http";
import { maxReviewBytes } from "../review/review.ts";
import { checkContentType, wholeBody } from "./body.ts";
import { answerWithin } from "./deadline.ts";
import { type Answered, type Endpoint, endpoints } from "./endpoints.ts";
import { serverErrors } from "./errors.ts";
import { callerOf, discardRest, leaving, send } from "./exchange.ts";
import { refusalBytes, refusalOf } from "./refusal.ts";
import type { AdmissionService } from "./service.ts";

/** The service as a function of a request. */
export function admissionHandler(service: AdmissionService) {
  const room = { bytes: service.limits.bytes };
  return (request: IncomingMessage, response: ServerResponse): void => {
    request.on("error", ignore);
    response.on("error", ignore);
    void handle(service, room, request, response);
  };
}

function ignore(): void {}

async function handle(
  service: AdmissionService,
  room: { bytes: number },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? "";
  const split = target.indexOf("?");
  const path = split < 0 ? target : target.slice(0, split);
  const name = path.replace(/^\//, "");
  const endpoint = endpoints.get(name);
  const since = performance.now();
  try {
    if (endpoint !== undefined) {
      if (request.method !== "POST") throw methodUnsupported(response, "POST");
      const query = new URLSearchParams(split < 0 ? "" : target.slice(split + 1));
      const withinMs = answerWithin(query.get("timeout"));
      const answered = await question(service, room, { endpoint, request, response, since, withinMs });
      const isHeard = !response.destroyed;
      send(response, 200, "application/json", answered.bytes);
      const outcome = isHeard ? (answered.allowed ? "allow" : "deny") : "cancelled";
      service.metrics.count(name, outcome, answered.codes, (performance.now() - since) / 1000);
      return;
    }
    if (!["healthz", "readyz", "metrics"].includes(name)) {
      throw serverErrors.make("ADMISSION_PATH_UNKNOWN", `expected /validate, /mutate, /provider or /v1/verdict`);
    }
    if (request.method !== "GET" && request.method !== "HEAD") throw methodUnsupported(response, "GET, HEAD");
    await tell(service, name, response);
    discardRest(request);
  } catch (thrown) {
    const { status, error } = refusalOf(thrown);
    if (error.nature === "bug") service.failed(thrown);
    if (!request.complete) response.setHeader("Connection", "close");
    if (status === 503) response.setHeader("Retry-After", "1");
    send(response, status, "application/json", endpoint?.refusalBytes?.(error) ?? refusalBytes(error));
    discardRest(request);
    if (endpoint === undefined) return;
    service.metrics.count(name, "refused", [error.code], (performance.now() - since) / 1000);
  }
}

interface Asked {
  readonly endpoint: Endpoint;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly since: number;
  readonly withinMs: number;
}

async function question(service: AdmissionService, room: { bytes: number }, asked: Asked): Promise<Answered> {
  const { endpoint, request, response, since, withinMs } = asked;
  const caller = callerOf(request, service.demandsCallers);
  checkContentType(request);
  const announced = request.headers["content-length"];
  const bytes = Math.min(announced === undefined ? maxReviewBytes : Number(announced), maxReviewBytes);
  if (service.metrics.underWay >= service.limits.questions || bytes > room.bytes) {
    throw serverErrors.make("ADMISSION_BUSY", `expected at most ${service.limits.questions} questions at once`);
  }
  service.metrics.underWay++;
  room.bytes -= bytes;
  try {
    const signal = leaving(response);
    const body = await wholeBody(request, maxReviewBytes, withinMs);
    const { ready, problems } = service.readiness();
    const notReady = ready
      ? undefined
      : serverErrors.make("ADMISSION_NOT_READY", `components are not admitted: ${problems.join("; ")}`);
    const left = Math.max(1, withinMs - (performance.now() - since));
    return await endpoint.answer(body, { service, caller, notReady, patience: { withinMs: left, signal } });
  } finally {
    service.metrics.underWay--;
    room.bytes += bytes;
  }
}

async function tell(service: AdmissionService, name: string, response: ServerResponse): Promise<void> {
  if (name === "healthz") {
    send(response, 200, "text/plain; charset=utf-8", "ok\n");
  } else if (name === "readyz") {
    const { ready, problems } = service.readiness();
    const text = ready ? "ready\n" : `not ready\n${problems.join("\n")}\n`;
    send(response, ready ? 200 : 503, "text/plain; charset=utf-8", text);
  } else {
    const gauges = {
      touchmark_admission_ready: service.readiness().ready ? 1 : 0,
      process_resident_memory_bytes: process.memoryUsage.rss(),
      ...(await service.gauges?.()),
    };
    send(response, 200, "text/plain; version=0.0.4; charset=utf-8", service.metrics.text(gauges));
  }
}

function methodUnsupported(response: ServerResponse, allowed: string): Error {
  response.setHeader("Allow", allowed);
  return serverErrors.make("ADMISSION_METHOD_UNSUPPORTED", `expected ${allowed}`);
}
