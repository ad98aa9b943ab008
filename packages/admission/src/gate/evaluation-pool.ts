import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import type { Decision, DecisionInput } from "@touchmark/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import type { VerifiedChain } from "@touchmark/verify/chain";
import { evaluationErrors } from "./evaluation-errors.ts";
import type {
  ChainRecipe,
  EvaluationAnswer,
  EvaluationQuestion,
  StandingDocuments,
  StatementRecipe,
} from "./evaluation-message.ts";
import { type ThreadPoolOptions, threadPool } from "./thread-pool.ts";

/** Decides in threads. */
export interface EvaluationPool {
  /** The same decision that `decide` makes here, within deadline and memory. @throws EVIDENCE_CACHE_EVALUATION_* */
  evaluate(input: DecisionInput, signal: AbortSignal): Promise<Decision>;
  close(): Promise<void>;
}

/** What a pool needs. */
export interface EvaluationPoolOptions extends Partial<ThreadPoolOptions> {
  /** Bytes of a bundle or trust root by digest; asked once for each thread. */
  readonly bytesOf: (digest: Digest) => Promise<Uint8Array>;
}

/** Starts a pool; threads start when the first question comes. */
export async function evaluationPool(options: EvaluationPoolOptions): Promise<EvaluationPool> {
  const { bytesOf, ...threads } = options;
  const url = threads.url ?? (await import("./evaluation-thread.ts")).thread.url;
  const pool = threadPool<EvaluationQuestion, EvaluationAnswer>({ ...threads, url });
  return {
    async evaluate(input, signal) {
      const { evidence, chains = [], limits: _, policies, layouts, set, ...rest } = input;
      const documents: StandingDocuments = { policies, layouts, ...(set === undefined ? {} : { set }) };
      const known = new Map(evidence.map((each) => [each.bundle, each]));
      const question: EvaluationQuestion = {
        input: rest,
        standing: standingDigest(documents),
        evidence: evidence.map(recipeOf),
        chains: chains.map((chain) => chainRecipe(chain, known)),
        content: new Map(),
      };
      // Each thread knows what it verified; another one may lack what the last one had.
      let answer = await pool.ask(question, signal);
      for (let round = 0; answer.kind === "missing" && round < 3; round++) {
        const wanted = new Set([...question.content.keys(), ...answer.digests]);
        const content = new Map<Digest, Uint8Array>();
        for (const digest of wanted) content.set(digest, await bytesOf(digest));
        answer = await pool.ask({ ...question, content, documents }, signal);
      }
      if (answer.kind === "decision") return answer.decision;
      throw evaluationErrors.make(
        "EVIDENCE_CACHE_EVALUATION_LOST",
        "a thread asked for the same bytes again and again",
      );
    },
    close: () => pool.close(),
  };
}

/** By the list of policies, which is a new one whenever something changes. */
const standingKnown = new WeakMap<object, StandingDocuments & { readonly digest: Digest }>();

function standingDigest(documents: StandingDocuments): Digest {
  const { policies, layouts, set } = documents;
  const known = standingKnown.get(policies);
  if (known !== undefined && known.layouts === layouts && known.set === set) return known.digest;
  const digest = sha256(canonicalJson(documents));
  standingKnown.set(policies, { ...documents, digest });
  return digest;
}

function recipeOf({ bundle, trustRoot, signer }: VerifiedStatement): StatementRecipe {
  if (signer.kind !== "certificate") throw new TypeError("a statement by a bare key is among the evidence");
  return { bundle, trustRoot, identity: signer.identity, issuer: signer.issuer };
}

function chainRecipe(chain: VerifiedChain, known: ReadonlyMap<Digest, VerifiedStatement>): ChainRecipe {
  const statements = chain.statements.map(({ digest }) => {
    const own = known.get(digest);
    if (own === undefined) throw new TypeError("a chain rests on a statement that is not among the evidence");
    return recipeOf(own);
  });
  const { artifact, builder, source, project, pipeline } = chain;
  const issuer = statements[0]?.issuer;
  return {
    statements,
    expectations: { artifact: artifact.digest, builder, source: source.uri, project, pipeline, issuer },
  };
}
