import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Digest } from "@touchmark/core";
import type { VerifiedAnalysis, VerifiedChain } from "@touchmark/verify/chain";
import { given, type Invocation, text } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { printable, type Terminal } from "./terminal.ts";

/** Most bundles of one exported chain, and most bytes of one. */
const MAX_BUNDLES = 10_000;
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

/** Verifies a whole chain: of this factory's store, or of an exported directory. */
export async function verifyChainOf(artifact: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const { chain, digest } =
    text(invocation, "evidence") === undefined
      ? await fromFactory(artifact, required(invocation))
      : await fromDirectory(artifact, invocation, terminal);
  if (given(invocation, "json")) terminal.print(JSON.stringify(chainJson(chain, digest)));
  else showChain(chain, digest, terminal);
  return 0;
}

/** A whole chain as machines read it. */
export function chainJson({ steps, ...rest }: VerifiedChain, digest: Digest): object {
  const shown = steps.map(({ products, ...step }) => ({ ...step, products: products.size }));
  return { verdict: "accepted", code: null, message: "the chain is whole", digest, ...rest, steps: shown };
}

type Required = readonly "hermetic"[];

function required(invocation: Invocation): Required {
  return text(invocation, "require") === "hermetic" ? ["hermetic"] : [];
}

interface Answer {
  readonly chain: VerifiedChain;
  readonly digest: Digest;
}

async function fromFactory(artifact: string, require: Required): Promise<Answer> {
  const { namedArtifact, openFactory, verifyArtifact } = await import("@touchmark/pipeline");
  const named = await namedArtifact(artifact);
  const factory = await openFactory();
  try {
    const { chain } = await verifyArtifact(factory, named, { require });
    return { chain, digest: named.digest };
  } finally {
    await factory.close();
  }
}

async function fromDirectory(artifact: string, invocation: Invocation, terminal: Terminal): Promise<Answer> {
  const need = (name: string, flag: string): string => {
    const value = text(invocation, name);
    if (value === undefined)
      throw cliErrors.make("CLI_USAGE", `expected ${flag} with --evidence: what nobody expects, nothing can prove`);
    return value;
  };
  const trustRootFile = need("trustRoot", "--trust-root FILE");
  const builder = need("builder", "--builder URI");
  const source = need("source", "--source URI");
  const bundles = readBundles(resolve(terminal.directory, need("evidence", "--evidence DIR")));
  const { namedArtifact } = await import("@touchmark/pipeline");
  const { readTrustRoot } = await import("@touchmark/verify");
  const { verifyRun } = await import("@touchmark/verify/chain");
  const { digest } = await namedArtifact(artifact);
  const issuer = text(invocation, "issuer");
  const witnessPolicy = text(invocation, "witnessPolicy");
  const chain = verifyRun(bundles, readTrustRoot(readInput(resolve(terminal.directory, trustRootFile))), {
    artifact: digest,
    builder,
    source,
    require: required(invocation),
    ...(issuer === undefined ? {} : { issuer }),
    ...(witnessPolicy === undefined
      ? {}
      : { witnessPolicy: Buffer.from(readInput(resolve(terminal.directory, witnessPolicy))).toString("utf8") }),
  });
  return { chain, digest };
}

/** Every bundle in a directory, or in its `bundles/`. */
function readBundles(directory: string): Uint8Array[] {
  const inside = join(directory, "bundles");
  const place = statSync(inside, { throwIfNoEntry: false })?.isDirectory() === true ? inside : directory;
  let names: string[];
  try {
    names = readdirSync(place)
      .filter((name) => name.endsWith(".sigstore.json"))
      .sort();
  } catch (cause) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected a directory of bundles at ${directory}`, { cause });
  }
  if (names.length === 0 || names.length > MAX_BUNDLES) {
    throw cliErrors.make(
      "CLI_FILE_UNREADABLE",
      `expected 1 to ${MAX_BUNDLES} *.sigstore.json in ${place}, found ${names.length}`,
    );
  }
  return names.map((name) => readInput(join(place, name)));
}

/** A file of evidence or trust that the command line names. @throws CLI_FILE_UNREADABLE */
export function readInput(path: string): Uint8Array {
  try {
    if (statSync(path).size > MAX_BUNDLE_BYTES) throw new Error(`larger than ${MAX_BUNDLE_BYTES} bytes`);
    return readFileSync(path);
  } catch (cause) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

const networks = (style: Terminal["style"]) => ({
  none: "no network",
  proxy: "recorded network",
  open: style.warn("open network, unrecorded"),
});

/** What an artifact consists of, in a line. */
function contentsOf({ sbom, vulnerabilities, gate }: VerifiedAnalysis): string {
  const { counts } = vulnerabilities;
  const some = Object.entries(counts ?? {}).filter(([, count]) => count > 0);
  const found = some.map(([name, count]) => `${count} ${name}`).join(", ") || "none known";
  const known = vulnerabilities.evaluated ? `vulnerabilities: ${found}` : "vulnerabilities not evaluated";
  const said = gate.verdict === "not-evaluated" ? "no rules asked" : `gate ${gate.verdict}`;
  return `${sbom.components - 1} components, ${known}, ${said}`;
}

/** A whole chain as people read it. */
export function showChain(chain: VerifiedChain, digest: Digest, terminal: Terminal): void {
  const { style } = terminal;
  terminal.print(`${style.good("accepted")} ${digest}`);
  terminal.print(`  source    ${printable(chain.source.uri)}`);
  terminal.print(`  commit    ${chain.source.commit}`);
  terminal.print(`  builder   ${chain.builder}`);
  terminal.print(`  pipeline  ${printable(chain.project)}/${printable(chain.pipeline)}, run ${chain.run}`);
  for (const step of chain.steps) {
    const network = networks(style)[step.network];
    const observed = step.observed ? "observed completely" : style.warn("not observed completely");
    terminal.print(
      `  step      ${step.name.padEnd(12)} ${network}, ${observed}${step.cachedFrom === undefined ? "" : `, from run ${step.cachedFrom}`}`,
    );
  }
  for (const { reference, digest: image, use, users, insecure } of chain.images) {
    const role = use === "step" ? `in which ${users.join(", ")} ran` : `under ${users.join(", ")}`;
    const warning = insecure ? style.warn(", and nobody vouches for it") : "";
    terminal.print(`  image     ${printable(`${reference} (${image.slice(0, 19)}…)`)}, ${printable(role)}${warning}`);
  }
  for (const analysis of chain.analyses.filter((each) => each.digest === digest)) {
    terminal.print(`  contents  ${printable(contentsOf(analysis))}`);
  }
  terminal.print(
    `  evidence  ${chain.statements.length} statements, one chain${chain.hermetic ? ", hermetic" : "; not hermetic"}`,
  );
  for (const reason of chain.notHermetic) terminal.print(`  ${style.dim(`not hermetic: ${printable(reason)}`)}`);
  for (const option of chain.insecureOptions) terminal.print(`  ${style.bad(option)}`);
  for (const line of chain.notChecked) terminal.print(`  ${style.dim(`not checked: ${printable(line)}`)}`);
}
