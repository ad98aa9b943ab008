import { parentPort } from "node:worker_threads";
import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import { decide } from "@touchmark/policy";
import { readTrustRoot, type TrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import { type VerifiedChain, verifyChain } from "@touchmark/verify/chain";
import type {
  ChainRecipe,
  EvaluationAnswer,
  EvaluationQuestion,
  StandingDocuments,
  StatementRecipe,
} from "./evaluation-message.ts";

/** What was verified in this thread: dearer than deciding, and always by the same bytes. */
const mostKept = 5000;
const statements = new Map<string, VerifiedStatement>();
const chains = new Map<string, VerifiedChain>();
const roots = new Map<Digest, TrustRoot>();
/** Documents of as many tenants as are asked about in turn. */
const mostStanding = 100;
const standing = new Map<Digest, StandingDocuments>();

/** Answers questions of the thread that started this one. Called in a worker thread alone. */
function serve(): void {
  parentPort?.on("message", ({ id, question }: { readonly id: number; readonly question: EvaluationQuestion }) => {
    try {
      parentPort?.postMessage({ id, answer: answerTo(question) });
    } catch (error) {
      parentPort?.postMessage({ id, failure: error instanceof Error ? error.message : String(error) });
    }
  });
  parentPort?.postMessage({ ready: true });
}

/** Where this code is, and what the thread that loads it calls: together, so that a bundler keeps both. */
export const thread: { readonly url: string; serve(): void } = { url: import.meta.url, serve };

/** Decides, or says which bytes it takes. */
export function answerTo(question: EvaluationQuestion): EvaluationAnswer {
  const missing = new Set<Digest>();
  const minted = (recipe: StatementRecipe): VerifiedStatement | undefined => {
    const key = `${recipe.bundle} ${recipe.trustRoot} ${recipe.identity} ${recipe.issuer}`;
    const known = statements.get(key);
    if (known !== undefined) return known;
    const bytes = question.content.get(recipe.bundle);
    const root = rootOf(recipe.trustRoot, question);
    if (bytes === undefined) missing.add(recipe.bundle);
    if (root === undefined) missing.add(recipe.trustRoot);
    if (bytes === undefined || root === undefined) return undefined;
    const { identity, issuer } = recipe;
    const verified = verifyBundle(bytes, root, { artifact: "unbound", identity, issuer });
    if (verified.bundle !== recipe.bundle) throw new TypeError("the bytes of a bundle are of another one");
    keep(statements, key, verified);
    return verified;
  };
  const evidence = question.evidence.map(minted).filter((each) => each !== undefined);
  const whole = question.chains.map((recipe) => chainOf(recipe, minted)).filter((each) => each !== undefined);
  const documents = standingOf(question);
  if (missing.size > 0 || documents === undefined) return { kind: "missing", digests: [...missing] };
  return { kind: "decision", decision: decide({ ...question.input, ...documents, evidence, chains: whole }) };
}

function standingOf(question: EvaluationQuestion): StandingDocuments | undefined {
  const { standing: digest, documents } = question;
  const known = standing.get(digest);
  if (known !== undefined || documents === undefined) return known;
  if (sha256(canonicalJson(documents)) !== digest) throw new TypeError("the documents are other ones");
  keep(standing, digest, documents, mostStanding);
  return documents;
}

function rootOf(digest: Digest, { content }: EvaluationQuestion): TrustRoot | undefined {
  const known = roots.get(digest);
  const bytes = content.get(digest);
  if (known !== undefined || bytes === undefined) return known;
  const root = readTrustRoot(bytes);
  if (root.digest !== digest) throw new TypeError("the bytes of a trust root are of another one");
  keep(roots, digest, root);
  return root;
}

function chainOf(
  { expectations, statements: recipes }: ChainRecipe,
  minted: (recipe: StatementRecipe) => VerifiedStatement | undefined,
): VerifiedChain | undefined {
  const key = JSON.stringify([expectations, recipes.map(({ bundle, trustRoot }) => [bundle, trustRoot])]);
  const known = chains.get(key);
  if (known !== undefined) return known;
  const own = recipes.map(minted);
  if (own.includes(undefined)) return undefined;
  const chain = verifyChain(own as VerifiedStatement[], expectations);
  keep(chains, key, chain);
  return chain;
}

function keep<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most = mostKept): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
