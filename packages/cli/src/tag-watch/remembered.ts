import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestHex, isFactoryError, sha256 } from "@touchmark/core";
import { predicateType, readPredicate, type TagEvaluation } from "@touchmark/formats/predicates";
import { type Factory, ownReviewer } from "@touchmark/pipeline";
import { writeFileAtomically } from "@touchmark/store";
import { verifyBundle } from "@touchmark/verify";
import { watchErrors } from "./errors.ts";

/** A followed tag. */
export interface FollowedTag {
  /** Place of the images, `HOST/NAME` or a directory. */
  readonly repository: string;
  readonly tag: string;
}

/** What is remembered of a tag: the signed evaluations themselves, so that nothing else must be believed. */
export interface RememberedTag {
  /** The last evaluation that accepted. */
  readonly accepted: TagEvaluation | undefined;
  /** The last evaluation, whatever it said. */
  readonly last: TagEvaluation | undefined;
}

/** Reads what is remembered. @throws WATCH_STATE_INVALID */
export async function rememberedTag(factory: Factory, followed: FollowedTag): Promise<RememberedTag> {
  const directory = directoryOf(factory, followed);
  const read = async (name: string): Promise<TagEvaluation | undefined> => {
    const file = join(directory, name);
    if (!existsSync(file)) return undefined;
    const { root, identity, issuer } = await ownReviewer(factory);
    const fail = (why: string, cause?: unknown) =>
      watchErrors.make("WATCH_STATE_INVALID", `${file}: ${why}`, { cause });
    try {
      const type = predicateType("tag-evaluation");
      const wanted = { artifact: "unbound", identity, issuer, predicateType: type } as const;
      const { statement } = verifyBundle(readFileSync(file), root, wanted);
      const evaluation = readPredicate("tag-evaluation", statement.predicate);
      const subjects = statement.subject.map(({ digest }) => `sha256:${digest["sha256"]}`);
      if (subjects.join() !== evaluation.digest)
        throw fail(`expected the subject ${evaluation.digest}, found ${subjects.join()}`);
      if (evaluation.repository !== followed.repository || evaluation.tag !== followed.tag) {
        throw fail(`expected an evaluation of this tag, found one of ${evaluation.repository}:${evaluation.tag}`);
      }
      return evaluation;
    } catch (cause) {
      if (!isFactoryError(cause) || cause.code === "WATCH_STATE_INVALID") throw cause;
      throw fail(`${cause.code}: ${cause.message}`, cause);
    }
  };
  const accepted = await read(ACCEPTED);
  if (accepted !== undefined && accepted.decision !== "accept") {
    throw watchErrors.make(
      "WATCH_STATE_INVALID",
      `${join(directory, ACCEPTED)}: expected an acceptance, found a refusal`,
    );
  }
  return { accepted, last: await read(LAST) };
}

const ACCEPTED = "accepted.sigstore.json";
const LAST = "last.sigstore.json";

/** Keeps a signed evaluation; an acceptance is what the next one is compared with. */
export function rememberEvaluation(
  factory: Factory,
  followed: FollowedTag,
  decision: TagEvaluation["decision"],
  bundle: Uint8Array,
): void {
  const directory = directoryOf(factory, followed);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (decision === "accept") writeFileAtomically(join(directory, ACCEPTED), bundle);
  writeFileAtomically(join(directory, LAST), bundle);
}

function directoryOf(factory: Factory, { repository, tag }: FollowedTag): string {
  return join(factory.home.paths.trust, "tags", digestHex(sha256(`${repository}:${tag}`)));
}
