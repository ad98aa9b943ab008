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
import { KeptValues } from "./kept-values.ts";

/** What was verified in this thread: dearer than deciding, and always by the same bytes. */
const MIB = 2 ** 20;
const statements = new KeptValues<string, Sized>({ entries: 5000, bytes: 32 * MIB });
const chains = new KeptValues<string, VerifiedChain>({ entries: 5000, bytes: 32 * MIB });
const roots = new KeptValues<Digest, TrustRoot>({ entries: 1000, bytes: 8 * MIB });
/** Documents of as many tenants as are asked about in turn. */
const standing = new KeptValues<Digest, StandingDocuments>({ entries: 100, bytes: 16 * MIB });

interface Sized {
  readonly verified: VerifiedStatement;
  /** Of the bundle. */
  readonly bytes: number;
}

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
  // Held for as long as this question takes, whatever goes meanwhile.
  const held = new Map<string, Sized | undefined>();
  for (const each of recipesOf(question)) held.set(keyOf(each), statements.get(keyOf(each)));
  const minted = (recipe: StatementRecipe): Sized | undefined => {
    const key = keyOf(recipe);
    const known = held.get(key);
    if (known !== undefined) return known;
    const bytes = question.content.get(recipe.bundle);
    const root = rootOf(recipe.trustRoot, question);
    if (bytes === undefined) missing.add(recipe.bundle);
    if (root === undefined) missing.add(recipe.trustRoot);
    if (bytes === undefined || root === undefined) return undefined;
    const { identity, issuer } = recipe;
    const verified = verifyBundle(bytes, root, { artifact: "unbound", identity, issuer });
    if (verified.bundle !== recipe.bundle) throw new TypeError("the bytes of a bundle are of another one");
    const made = { verified, bytes: bytes.length };
    held.set(key, made);
    statements.put(key, made, bytes.length);
    return made;
  };
  const evidence = question.evidence.map((each) => minted(each)?.verified).filter((each) => each !== undefined);
  const whole = question.chains.map((recipe) => chainOf(recipe, minted)).filter((each) => each !== undefined);
  const documents = standingOf(question);
  if (missing.size > 0 || documents === undefined) return { kind: "missing", digests: [...missing] };
  // The pool ends what takes too long here.
  const input = { ...question.input, ...documents, evidence, chains: whole, limits: { outside: true } };
  return { kind: "decision", decision: decide(input) };
}

const recipesOf = ({ evidence, chains: wanted }: EvaluationQuestion): readonly StatementRecipe[] => [
  ...evidence,
  ...wanted.flatMap((each) => each.statements),
];

const keyOf = ({ bundle, trustRoot, identity, issuer }: StatementRecipe): string =>
  `${bundle} ${trustRoot} ${identity} ${issuer}`;

function standingOf(question: EvaluationQuestion): StandingDocuments | undefined {
  const { standing: digest, documents } = question;
  const known = standing.get(digest);
  if (known !== undefined || documents === undefined) return known;
  const text = canonicalJson(documents);
  if (sha256(text) !== digest) throw new TypeError("the documents are other ones");
  standing.put(digest, documents, text.length);
  return documents;
}

function rootOf(digest: Digest, { content }: EvaluationQuestion): TrustRoot | undefined {
  const known = roots.get(digest);
  const bytes = content.get(digest);
  if (known !== undefined || bytes === undefined) return known;
  const root = readTrustRoot(bytes);
  if (root.digest !== digest) throw new TypeError("the bytes of a trust root are of another one");
  roots.put(digest, root, bytes.length);
  return root;
}

function chainOf(
  { expectations, statements: recipes }: ChainRecipe,
  minted: (recipe: StatementRecipe) => Sized | undefined,
): VerifiedChain | undefined {
  const key = JSON.stringify([expectations, recipes.map(({ bundle, trustRoot }) => [bundle, trustRoot])]);
  const known = chains.get(key);
  if (known !== undefined) return known;
  const own = recipes.map(minted).filter((each) => each !== undefined);
  if (own.length < recipes.length) return undefined;
  const verified = own.map((each) => each.verified);
  const chain = verifyChain(verified, expectations);
  const bytes = own.reduce((sum, each) => sum + each.bytes, 0);
  chains.put(key, chain, bytes);
  return chain;
}
