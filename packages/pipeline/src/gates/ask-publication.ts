import type { Digest } from "@touchmark/core";
import { attestId } from "@touchmark/identity";
import type { Factory } from "../factory.ts";
import { evidenceHere, type PoliciesInForce } from "../policy/index.ts";
import { askGate, type GateAnswer } from "./ask-gate.ts";
import { gateErrors } from "./errors.ts";
import { chainLevels } from "./publish-gate.ts";
import { localCaller } from "./request-facts.ts";

/** An artifact of this factory that is to leave, outside of its run. */
export interface PublicationQuestion {
  readonly name: string;
  readonly digest: Digest;
  /** `HOST/NAME:TAG` each, and the URI of the place; absent where it stays. */
  readonly leaving?: { readonly targets: readonly string[]; readonly resourceUri: string };
}

/**
 * Asks the gate of publication about an artifact, once for each target, on what the store has about it now.
 * @throws GATE_DECISION_MISSING where no chain leads to it
 */
export async function askPublication(
  factory: Factory,
  policies: PoliciesInForce,
  { name, digest, leaving }: PublicationQuestion,
) {
  const { statements, chains, refused, broken } = await evidenceHere(factory, digest);
  const [chain] = chains;
  if (chain === undefined) {
    const why = broken === undefined ? "none" : `${broken.message} (${broken.code})`;
    throw gateErrors.make("GATE_DECISION_MISSING", `expected a chain that leads to ${name}, found ${why}`);
  }
  const { run, project, pipeline, insecureOptions } = chain;
  const targets: readonly (string | undefined)[] = leaving?.targets ?? [undefined];
  const answers = targets.map(
    (target): GateAnswer =>
      askGate(factory, policies, {
        point: "publish",
        subject: { name: target ?? chain.artifact.name, digest },
        facts: {
          ...{ run, project, pipeline, insecureOptions, caller: localCaller() },
          artifact: { name: chain.artifact.name, kind: kindOf(chain.statements) },
          ...(target === undefined ? {} : { target }),
        },
        ...{ evidence: statements, chains, refused },
        verifier: attestId(factory.names().trustDomain),
        resourceUri: leaving?.resourceUri ?? `touchmark:project/${project}/artifact/${name}`,
        levels: chainLevels(chain),
      }),
  );
  return { answers, statements };
}

const kindOf = (statements: readonly { readonly predicateType: string }[]): string =>
  statements.some(({ predicateType }) => predicateType.endsWith("/image/v1")) ? "image" : "file";
