import type { Digest, Json } from "@touchmark/core";
import type { Subject } from "@touchmark/formats/evidence";
import type { CelInput } from "../cel/value.ts";
import type { Decision, DecisionInput } from "../decision.ts";
import type { LayoutJudgement } from "../layout/judgement.ts";
import { decideOver, denyBroken } from "./decide.ts";
import { engineErrors } from "./errors.ts";
import type { EvidenceSigner } from "./evidence.ts";
import type { ChainView } from "./scope.ts";

/** A statement that a test of policies states; nobody verified it. */
export interface StatedStatement {
  /** Stands for the digest of a bundle. */
  readonly bundle: Digest;
  readonly predicateType: string;
  readonly predicate: Json;
  readonly subject: readonly Subject[];
  readonly signer: EvidenceSigner;
  readonly time?: Date;
}

/** A question with evidence that is stated. */
export interface StatedInput extends Omit<DecisionInput, "evidence" | "chains"> {
  readonly evidence: readonly StatedStatement[];
  /** Facts of a chain that leads to the subject. Every stated statement is of it. */
  readonly chain?: CelInput;
  /** What came of every layout; without it, layouts are judged by the links that are stated. */
  readonly layout?: LayoutJudgement;
}

/**
 * Decides over stated evidence: for tests of policies, and for nothing else. The decision says so, and cannot be signed.
 */
export function decideWithStated({ chain, layout, evidence, ...input }: StatedInput): Decision {
  const question: DecisionInput = { ...input, evidence: [] };
  const views = chain === undefined || input.subject.digest === undefined ? [] : [viewOf(chain, input.subject.digest)];
  const decision = denyBroken(question, () =>
    decideOver(question, {
      evidence: evidence.map((each) => ({ ...each, time: each.time, trustRoot: undefined })),
      chains: views,
      denials: [],
      ...(layout === undefined ? {} : { statedLayout: layout }),
    }),
  );
  return { ...decision, stated: true };
}

/** @throws ENGINE_DECISION_STATED for a decision that nobody may sign or act on */
export function assertDecided(decision: Decision): void {
  if (decision.stated !== true) return;
  throw engineErrors.make("ENGINE_DECISION_STATED", "expected a decision over verified evidence, found a stated one");
}

function viewOf(facts: CelInput, artifact: Digest): ChainView {
  const source = member(facts, "source");
  const [uri, revision, tree] = [member(source, "uri"), member(source, "commit"), member(source, "treeDigest")];
  return {
    facts,
    artifact,
    source: { uri: textOf(uri), revision: textOf(revision), tree: textOf(tree) as Digest },
    has: () => true,
  };
}

function member(value: CelInput | undefined, name: string): CelInput | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as { readonly [name: string]: CelInput | undefined })[name];
}

function textOf(value: CelInput | undefined): string {
  return typeof value === "string" ? value : "";
}
