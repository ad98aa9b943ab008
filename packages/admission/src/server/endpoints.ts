import type { FactoryError } from "@touchmark/core";
import { answerKeys, providerBytes, readProviderRequest } from "../provider/provider.ts";
import { readAdmissionReview } from "../review/review.ts";
import { codesOf, refused, reviewBytes } from "../webhook/answer.ts";
import { askGate } from "../webhook/ask.ts";
import { answerReview, type Patience, type WebhookKind } from "../webhook/webhook.ts";
import { readQuestion, verdictBytes } from "./question.ts";
import type { AdmissionService } from "./service.ts";

/** What an endpoint is told beside the body. */
export interface Asking {
  readonly service: AdmissionService;
  readonly caller: string;
  /** Why nothing is admitted yet. */
  readonly notReady: FactoryError | undefined;
  readonly patience: Patience;
}

/** What an endpoint answers. */
export interface Answered {
  readonly bytes: Buffer;
  readonly allowed: boolean;
  readonly codes: readonly string[];
}

/** A path where questions are put. */
export interface Endpoint {
  answer(body: Buffer, asking: Asking): Promise<Answered>;
  /** A refusal in the words of the endpoint's protocol, where it has some. */
  readonly refusalBytes?: (error: FactoryError) => Buffer;
}

function webhook(kind: WebhookKind): Endpoint {
  return {
    async answer(body, { service, notReady, patience }) {
      const request = readAdmissionReview(body);
      const answer = notReady === undefined ? await answerReview(kind, request, service, patience) : refused(notReady);
      return { bytes: reviewBytes(request.uid, answer), allowed: answer.allowed, codes: answer.codes };
    },
  };
}

const provider: Endpoint = {
  async answer(body, { service, notReady, patience }) {
    const keys = readProviderRequest(body);
    if (notReady !== undefined) throw notReady;
    const items = await answerKeys(keys, service, patience);
    const allowed = items.every(({ error }) => error === undefined);
    const codes = items.flatMap(({ error }) => /^([A-Z][A-Z0-9_]+): /.exec(error ?? "")?.[1] ?? []);
    return { bytes: providerBytes(items), allowed, codes };
  },
  refusalBytes: ({ code, message }) => providerBytes([], `${code}: ${message}`),
};

const verdict: Endpoint = {
  async answer(body, { service, caller, notReady, patience }) {
    const { references, namespace, environment = service.environment, dryRun } = readQuestion(body);
    if (notReady !== undefined) throw notReady;
    const facts = {
      ...{ operation: "VERDICT", user: caller, dryRun },
      ...(service.demandsCallers
        ? { caller: { name: caller, kind: "service", authentication: "certificate" } as const }
        : {}),
      namespace: namespace ?? null,
      environment: environment ?? null,
    };
    const context = { ...(namespace === undefined ? {} : { namespace }), ...patience, dryRun, facts };
    const answers = await askGate(service.gate, references, context);
    const verdicts = references.flatMap((reference) => answers.get(reference) ?? []);
    return {
      bytes: verdictBytes(verdicts),
      allowed: verdicts.every(({ result }) => result === "allow"),
      codes: [...new Set(verdicts.flatMap(codesOf))],
    };
  },
};

/** Every path where questions are put. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map([
  ["validate", webhook("validating")],
  ["mutate", webhook("mutating")],
  ["provider", provider],
  ["v1/verdict", verdict],
]);
