import { readFileSync } from "node:fs";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { type Layout, type Policy, type PolicySet, readPolicyDocument } from "@touchmark/formats/policy";
import { type CelInput, defaultPolicies, type Pinned } from "@touchmark/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import type { Factory } from "../factory.ts";
import { homePolicyErrors } from "./errors.ts";
import { installedSet } from "./installed-set.ts";
import { documentPath, policyPlaces, readParameters } from "./policy-place.ts";
import { type IgnoredDocument, signedDocumentsIn } from "./signed-documents.ts";

/** What decides here, read once and the same for every question of a run. */
export interface PoliciesInForce {
  /** `built-in`: nothing is installed, and the defaults of the library decide. `files`: named on the command line. */
  readonly origin: "built-in" | "set" | "files";
  readonly set?: Pinned<PolicySet>;
  readonly policies: readonly Pinned<Policy>[];
  readonly layouts: readonly Pinned<Layout>[];
  /** Signed exceptions, verified; whether one counts is the decision's to say. */
  readonly exceptions: readonly VerifiedStatement[];
  readonly parameters: { readonly [name: string]: CelInput };
  /** Exceptions that do not verify; they count for nothing, and are shown. */
  readonly ignored: readonly IgnoredDocument[];
}

/** A policy file with the name that messages give it. */
export interface PolicyFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The policies of a home: those of the installed set, or the built-in ones; files take the place of both. Exceptions and
 * parameters are those of the home in any case. SPEC PO1.
 * @throws POLICY_DOCUMENT_… | POLICY_SET_CHANGED | POLICY_MEMBER_MISSING | POLICY_FILE_UNREADABLE
 */
export async function policiesInForce(
  factory: Factory,
  options: { readonly files?: readonly PolicyFile[]; readonly now?: Date } = {},
): Promise<PoliciesInForce> {
  const { found, ignored } = await signedDocumentsIn(factory, policyPlaces(factory).exceptions, "exception");
  const common = {
    exceptions: found.map(({ verified }) => verified),
    parameters: readParameters(factory),
    ignored,
  };
  if (options.files !== undefined) return { ...common, origin: "files", ...readDocuments(options.files) };
  const set = await installedSet(factory);
  if (set !== undefined) return { ...common, origin: "set", set, ...readDocuments(membersOf(factory, set.document)) };
  const policies = defaultPolicies(options.now ?? factory.clock.now());
  return { ...common, origin: "built-in", policies, layouts: [] };
}

function membersOf(factory: Factory, set: PolicySet): readonly PolicyFile[] {
  return set.members.map(({ kind, name, digest }) => {
    const bytes = readMember(factory, digest);
    if (bytes === undefined || sha256(bytes) !== digest) {
      throw homePolicyErrors.make(
        "POLICY_MEMBER_MISSING",
        `expected the ${kind} ${name} with ${digest}, found ${bytes === undefined ? "nothing" : sha256(bytes)}`,
      );
    }
    return { name, bytes };
  });
}

function readMember(factory: Factory, digest: Digest): Uint8Array | undefined {
  try {
    return readFileSync(documentPath(factory, digest));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

/** Policies and layouts of files. @throws POLICY_DOCUMENT_… | POLICY_FILE_UNREADABLE */
function readDocuments(files: readonly PolicyFile[]): Pick<PoliciesInForce, "policies" | "layouts"> {
  const policies: Pinned<Policy>[] = [];
  const layouts: Pinned<Layout>[] = [];
  for (const { name, bytes } of files) {
    const { kind, document, digest } = readPolicyDocument(bytes, { name });
    if (kind === "policy") policies.push({ digest, document });
    else if (kind === "layout") layouts.push({ digest, document });
    else
      throw homePolicyErrors.make(
        "POLICY_FILE_UNREADABLE",
        `expected a policy or a layout, found a ${kind} in ${name}`,
      );
  }
  return { policies, layouts };
}

/** Reads policy files from disk. @throws POLICY_FILE_UNREADABLE */
export function readPolicyFiles(paths: readonly string[]): readonly PolicyFile[] {
  return paths.map((path) => {
    try {
      return { name: path, bytes: readFileSync(path) };
    } catch (cause) {
      if (isFactoryError(cause)) throw cause;
      const why = (cause as NodeJS.ErrnoException).code ?? "unreadable";
      throw homePolicyErrors.make("POLICY_FILE_UNREADABLE", `expected a file of policy at ${path}, found ${why}`, {
        cause,
      });
    }
  });
}
