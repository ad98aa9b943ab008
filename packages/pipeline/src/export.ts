import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { parseBundle, parseStatement } from "@touchmark/formats/evidence";
import { builderId } from "@touchmark/identity";
import { type RunArtifact, writeFileAtomically } from "@touchmark/store";
import { pipelineErrors } from "./errors.ts";
import { artifactFileName } from "./evidence/artifact-name.ts";
import { EVIDENCE_ENDING, evidenceFileName, packageEvidence } from "./evidence/package-evidence.ts";
import type { Factory } from "./factory.ts";
import { gatherEvidence } from "./gather.ts";

/** What an export wrote. */
export interface ExportReport {
  readonly artifact: string;
  readonly digest: Digest;
  readonly bundlesDirectory: string;
  readonly bundles: readonly string[];
  /** The provenance alone, in the form that other factories read beside a package in a repository. */
  readonly packageEvidence: string;
  /** SHA-256 of the trusted root, which is not exported here. */
  readonly trustRoot: Digest;
  readonly verifyCommand: string;
}

/**
 * Writes the artifact alone at the top of a directory, its bundles below `bundles/`, and there how to verify them.
 * Never the trust root: what comes with an artifact can vouch for nothing. Made aside and moved into place at once.
 * @throws EVIDENCE_MISSING | EXPORT_NOT_EMPTY
 */
export async function exportArtifact(factory: Factory, digest: Digest, out: string): Promise<ExportReport> {
  const { run, bundles, missing } = await gatherEvidence(factory, digest);
  const [lost] = missing;
  if (lost !== undefined)
    throw pipelineErrors.make("EVIDENCE_MISSING", `the bundle ${lost} of run ${run.id} is not stored`);
  const row = run.artifacts.find((artifact) => artifact.digest === digest);
  if (row === undefined) throw new TypeError(`run ${run.id} does not hold ${digest}`);
  checkEmpty(out);
  const { path = "." } = (row.details ?? {}) as { path?: string };
  const fileName = besideBundles(artifactFileName({ name: row.name, kind: row.kind, path }));
  const identity = factory.names();
  const trustRoot = sha256(await factory.trustRoot());
  const source = (run.details as { source?: { uri?: string } }).source?.uri ?? "";
  const staging = join(dirname(out), `.touchmark-export-${process.pid}-${basename(out)}`);
  rmSync(staging, { recursive: true, force: true });
  try {
    mkdirSync(join(staging, "bundles"), { recursive: true });
    if (row.kind === "image") await writeImage(factory, row, join(staging, fileName));
    else await writeVerified(factory, digest, join(staging, fileName));
    const names = bundles.map((bundle, i) => bundleFileName(i, bundle.bytes));
    for (const [i, bundle] of bundles.entries()) {
      writeFileAtomically(join(staging, "bundles", names[i] ?? ""), bundle.bytes, { durable: false });
    }
    const evidence = evidenceFileName(fileName);
    const published = packageEvidence(bundles, digest);
    writeFileAtomically(join(staging, "bundles", evidence), published, { durable: false });
    const words = [
      "touchmark",
      "verify",
      row.kind === "image" ? digest : shownPath(fileName),
      "--evidence",
      "bundles",
      "--trust-root",
      "trusted_root.json",
    ];
    const expected = ["--builder", builderId(identity.trustDomain), "--source", source];
    const verifyCommand = [...words, ...expected].map(shellWord).join(" ");
    const text = instructions({
      fileName,
      evidence,
      trustRoot,
      verifyCommand,
      provenance: names.find((name) => name.includes("provenance")) ?? "",
      builder: builderId(identity.trustDomain),
      issuer: identity.issuer,
    });
    writeFileAtomically(join(staging, "bundles", "VERIFY.md"), Buffer.from(text), { durable: false });
    removeEmpty(out);
    renameSync(staging, out);
    return {
      artifact: join(out, fileName),
      digest,
      bundlesDirectory: join(out, "bundles"),
      bundles: names,
      packageEvidence: join(out, "bundles", evidence),
      trustRoot,
      verifyCommand,
    };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Writes an image out of the factory's own registry as an OCI layout. */
async function writeImage(factory: Factory, row: RunArtifact, directory: string): Promise<void> {
  const { repository = "" } = (row.details ?? {}) as { readonly repository?: string };
  const { exportOwnImage } = await import("./images/export-image.ts");
  await exportOwnImage(factory, repository, row.digest, directory);
}

/** Writes a blob as it is verified; what fails the verification leaves no open file behind. */
async function writeVerified(factory: Factory, digest: Digest, path: string): Promise<void> {
  const descriptor = openSync(path, "wx", 0o644);
  try {
    for await (const chunk of factory.content.stream(digest)) writeFileSync(descriptor, chunk);
  } finally {
    closeSync(descriptor);
  }
}

/** Deletes the directory that was empty a moment ago; what somebody put there meanwhile is not ours to delete. */
function removeEmpty(out: string): void {
  try {
    rmdirSync(out);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw pipelineErrors.make("EXPORT_NOT_EMPTY", `expected a new or empty directory at ${out}`, { cause });
  }
}

/** Refuses to mix an export with anything else. */
function checkEmpty(out: string): void {
  let names: string[];
  try {
    names = readdirSync(out);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw pipelineErrors.make("EXPORT_NOT_EMPTY", `expected a new or empty directory at ${out}`, { cause });
  }
  if (names.length > 0) {
    throw pipelineErrors.make(
      "EXPORT_NOT_EMPTY",
      `expected a new or empty directory at ${out}, found ${names.length} entries`,
    );
  }
}

/** The artifact's file name comes from the project: beside `bundles/` it may not be called so. */
function besideBundles(name: string): string {
  return name.toLowerCase() === "bundles" ? `${name}.artifact` : name;
}

/** A name that begins with a dash is no option. */
function shownPath(name: string): string {
  return name.startsWith("-") ? `./${name}` : name;
}

/** A word as a shell reads it back, whatever it holds. */
function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** `07-link-build.sigstore.json`: in the order of signing, by what it says. */
function bundleFileName(position: number, bytes: Uint8Array): string {
  const { content } = parseBundle(bytes);
  const statement = content.kind === "envelope" ? parseStatement(content.payload) : undefined;
  const parts = (statement?.predicateType ?? "signature").split("/").slice(3);
  const type = parts.filter((part) => !["predicates", "attestation"].includes(part) && !/^v\d/.test(part)).join("-");
  const subject = /^output\/(.+)$/.exec(statement?.subject[0]?.name ?? "")?.[1];
  const words = [String(position).padStart(2, "0"), type, ...(subject === undefined ? [] : [subject])];
  return `${words.join("-").replace(/[^A-Za-z0-9._-]/g, "_")}.sigstore.json`;
}

function instructions(facts: {
  readonly fileName: string;
  readonly evidence: string;
  readonly trustRoot: Digest;
  readonly verifyCommand: string;
  readonly provenance: string;
  readonly builder: string;
  readonly issuer: string;
}): string {
  return `# How to verify ${JSON.stringify(facts.fileName)}

You need \`trusted_root.json\` of the factory, **got on another way than this directory**. Its fingerprint is

    ${facts.trustRoot}

and \`sha256sum trusted_root.json\` must print it. Compare it with what the factory's owner told you, not with this file.

The whole chain, source to artifact:

    ${facts.verifyCommand}

One bundle with cosign 3:

    cosign verify-blob-attestation --bundle bundles/${facts.provenance} \\
      --trusted-root trusted_root.json --use-signed-timestamps --insecure-ignore-sct \\
      --certificate-identity ${facts.builder} --certificate-oidc-issuer ${facts.issuer} \\
      --type https://slsa.dev/provenance/v1 ${shellWord(shownPath(facts.fileName))}

(\`--insecure-ignore-sct\`: the factory logs statements, and has no certificate-transparency log of its own.)

To publish it as a package that other touchmark factories verify: put \`bundles/${facts.evidence}\` into the repository
beside the package, under the package's own name with \`${EVIDENCE_ENDING}\` after it.
`;
}
