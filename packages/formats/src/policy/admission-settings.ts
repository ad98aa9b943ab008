import { PipelineFileError } from "../pipeline/errors.ts";
import { readYaml } from "../pipeline/yaml-reader.ts";
import { described, list, type Of, object, oneOf, optional, text, whole } from "../predicates/shape.ts";
import { DocumentProblems } from "./document-problems.ts";
import { PolicyDocumentError } from "./errors.ts";
import { identifier } from "./policy.ts";
import { walkSchema } from "./schema-walk.ts";

const file = text({ max: 4096 });
const party = object({
  "trust-root": described("File of a Sigstore trusted root, relative to this one.", file),
  issuers: described(
    "Who may vouch for identities, each compared as a whole.",
    list(text({ max: 2048 }), { min: 1, max: 100 }),
  ),
  builder: optional(described("SPIFFE id of the factory whose whole chains count.", text({ max: 2048 }))),
  sources: optional(described("Sources that its chains may begin with.", list(text({ max: 2048 }), { max: 1000 }))),
});

/** admission/v1: how the admission gate of a home looks evidence up, who may break the glass, and its tenants. */
export const admissionSettings = object({
  touchmark: oneOf("admission/v1"),
  evidence: optional(
    object({
      "max-age-seconds": optional(described("Older evidence is gathered anew. Default 600.", whole())),
      "keep-seconds": optional(
        described("How long older evidence counts while its source is unreachable. Default 0.", whole()),
      ),
      "lookup-seconds": optional(described("For one lookup. Default 15.", whole({ min: 1, max: 600 }))),
      parallel: optional(described("Lookups at once. Default 8.", whole({ min: 1, max: 256 }))),
      entries: optional(described("Digests whose evidence is kept. Default 1000.", whole({ min: 1, max: 1_000_000 }))),
    }),
  ),
  "break-glass": optional(
    object({
      signers: described(
        "Names below the trust domain whose permissions count: `attest`, `user/NAME`.",
        list(text({ max: 256 }), { max: 1000 }),
      ),
      "max-hours": optional(described("Longest permission. Default 72.", whole({ min: 1, max: 8784 }))),
    }),
  ),
  tenants: optional(
    list(
      object({
        name: identifier,
        namespaces: described(
          "Whole names; `*` stands for characters other than a dot.",
          list(text({ max: 256 }), { min: 1, max: 1000 }),
        ),
        policies: described("Files of policies and layouts. None denies everything.", list(file, { max: 1000 })),
        trust: described("Trust roots that count for the tenant, and no other.", list(party, { min: 1, max: 100 })),
      }),
      { max: 1000 },
    ),
  ),
});
export type AdmissionSettings = Of<typeof admissionSettings>;

const limits = { bytes: 1024 * 1024, values: 100_000, depth: 16 } as const;

/** Reads the settings of admission, strictly. @throws PolicyDocumentError */
export function readAdmissionSettings(text: string, name: string): AdmissionSettings {
  try {
    const reading = readYaml(text, name, limits);
    const problems = new DocumentProblems(name, reading);
    walkSchema(reading.value, admissionSettings.schema, [], problems);
    problems.throwIfAny();
    admissionSettings.check(reading.value, "admission");
    const settings = reading.value as unknown as AdmissionSettings;
    checkNamespaces(settings, problems);
    problems.throwIfAny();
    return settings;
  } catch (cause) {
    if (!(cause instanceof PipelineFileError)) throw cause;
    const { line, column, message } = cause.problems[0] ?? { line: 1, column: 1, message: cause.message };
    const problem = { code: "POLICY_DOCUMENT_MALFORMED", line, column, path: "", message } as const;
    throw new PolicyDocumentError(name, [problem], { cause });
  }
}

/** A namespace of two tenants would be judged by whichever comes first. */
function checkNamespaces({ tenants }: AdmissionSettings, problems: DocumentProblems): void {
  const seen = new Map<string, string>();
  for (const [i, tenant] of (tenants ?? []).entries()) {
    for (const [j, namespace] of tenant.namespaces.entries()) {
      const other = seen.get(namespace);
      const message = `expected each namespace once, ${JSON.stringify(namespace)} is of ${other ?? ""} as well`;
      if (other !== undefined) problems.add("POLICY_DOCUMENT_NAME_TWICE", ["tenants", i, "namespaces", j], message);
      seen.set(namespace, tenant.name);
    }
  }
}
