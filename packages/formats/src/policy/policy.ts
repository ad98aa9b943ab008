import { digest, name, prose, time, uri } from "../predicates/common.ts";
import {
  described,
  flag,
  list,
  type Of,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  text,
  whole,
} from "../predicates/shape.ts";

/** Where a decision is taken, in the order in which an artifact meets them. */
export const decisionPoints = ["request", "dependency", "step", "publish", "deploy"] as const;
export type DecisionPoint = (typeof decisionPoints)[number];

/** What a failed rule leads to. `shadow` is evaluated and recorded, and nobody is told but the record. */
export const policyModes = ["enforce", "warn", "audit", "shadow"] as const;
export type PolicyMode = (typeof policyModes)[number];

/** Names of policies, rules, steps, functionaries, attestations and parameters. */
export const identifier = text({ pattern: /^[A-Za-z][A-Za-z0-9]*([-_./][A-Za-z0-9]+)*$/, max: 128 });
/** A name that a CEL expression can say. */
export const celName = /^[a-zA-Z][a-zA-Z0-9_]{0,63}$/;
/** A CEL expression. */
export const expression = text({ max: 8192 });
/** A collection's name, for example `slsa-build-l3` or `practices-high`. */
export const collection = text({ pattern: /^[a-z0-9]+(-[a-z0-9]+)*$/, max: 64 });

/** A party that may vouch for something: exact identities, or keys. */
export const functionary = object({
  identities: optional(
    described(
      "Names in certificates, each compared as a whole, with who vouched for them.",
      list(
        object({
          identity: described("SPIFFE id, address or URI, as the certificate has it.", text({ max: 2048 })),
          issuer: optional(described("Default: this factory's own.", text({ max: 2048 }))),
          pattern: optional(described("True: `*` in the identity stands for characters other than `/`.", flag)),
        }),
        { max: 1000 },
      ),
    ),
  ),
  keys: optional(described("SHA-256 of SubjectPublicKeyInfo (DER) of keys.", list(digest, { max: 1000 }))),
  role: optional(described("Role that the party acts in, for rules on distinct roles.", identifier)),
});
export type Functionary = Of<typeof functionary>;

/** One kind of statement that a policy wants to see about the subject. */
export const wantedAttestation = object({
  predicateType: uri,
  about: optional(
    described(
      "What it must be about: `subject` (default) the digest in question; `inputs` a digest that the gate names in `request.inputs`; `source` the revision that the subject's verified chain starts from; `run` anything of that chain.",
      oneOf("subject", "inputs", "source", "run"),
    ),
  ),
  by: described("Names in `trust` of whom signatures count.", list(identifier, { min: 1, max: 100 })),
  threshold: optional(
    described("How many different functionaries must have signed. Default 1.", whole({ min: 1, max: 100 })),
  ),
  required: optional(described("False: rules judge what is there, and nothing is demanded. Default true.", flag)),
  maxAgeSeconds: optional(described("Statements whose verified time is older do not count.", whole({ min: 1 }))),
});
export type WantedAttestation = Of<typeof wantedAttestation>;

/** A typed parameter. Its value reaches rules as the variable `params.NAME`, never as text of an expression. */
export const policyParameter = object({
  type: oneOf("string", "int", "bool", "duration", "list", "map"),
  description: optional(prose),
  default: optional(anyJson()),
});
export type PolicyParameter = Of<typeof policyParameter>;

/** A rule in Rego: a rule of a module that `opa build -t wasm` compiled, which must be true. */
const regoRule = object({
  module: described("Digest of the WebAssembly module.", digest),
  entrypoint: described("One of its entrypoints, for example `release/allow`.", text({ max: 256 })),
});

/** One rule: an expression, or a rule of a module in Rego, that must be true. */
export const policyRule = object({
  id: identifier,
  title: text({ max: 256 }),
  expression: optional(described("CEL. Each rule has this or `rego`.", expression)),
  rego: optional(
    described("Judged in place of an expression, only where a thread with a deadline decides: admission.", regoRule),
  ),
  message: optional(described("Why it failed, for a person. Default: the title.", prose)),
  messageExpression: optional(described("CEL that gives the message as a string.", expression)),
  solution: optional(described("What to do about it.", prose)),
  severity: optional(oneOf("critical", "high", "medium", "low")),
  effectiveOn: optional(described("Until then a failure is only announced.", time)),
  dependsOn: optional(
    described(
      "Rules that must have passed; otherwise this one is skipped, and the policy denies.",
      list(identifier, { max: 100 }),
    ),
  ),
  collections: optional(list(collection, { max: 100 })),
  practices: optional(
    described("Requirements of the field that the rule serves, for example `RA-POL-02`.", list(name, { max: 100 })),
  ),
});
export type PolicyRule = Of<typeof policyRule>;

/** policy/v1: what must hold at one point. */
export const policy = object({
  touchmark: oneOf("policy/v1"),
  name: identifier,
  version: whole({ min: 1 }),
  description: optional(prose),
  expires: described("From then on it decides nothing, which denies.", time),
  point: oneOf(...decisionPoints),
  mode: optional(described("Default `enforce`.", oneOf(...policyModes))),
  match: optional(
    described(
      "What it is about; what is absent matches everything.",
      object({
        names: optional(
          described(
            "Names of subjects; `*` stands for characters other than `/`, `**` for any.",
            list(text({ max: 1024 }), { min: 1, max: 1000 }),
          ),
        ),
        environments: optional(list(identifier, { min: 1, max: 100 })),
        namespaces: optional(list(text({ max: 256 }), { min: 1, max: 1000 })),
        expression: optional(expression),
      }),
    ),
  ),
  trust: optional(record(functionary, celName)),
  attestations: optional(record(wantedAttestation, celName)),
  exceptions: optional(
    described(
      "Who may grant exceptions from its rules; absent: nobody.",
      object({
        by: described(
          "Names in `trust`. An approver whom the exception names must be one of them.",
          list(identifier, { min: 1, max: 100 }),
        ),
        threshold: optional(
          described(
            "How many different ones must have signed the same exception. Default 1.",
            whole({ min: 1, max: 100 }),
          ),
        ),
      }),
    ),
  ),
  layout: optional(described("Layout that the steps must follow, by digest.", digest)),
  collections: optional(described("Rules of the built-in library, by collection.", list(collection, { max: 100 }))),
  parameters: optional(record(policyParameter, celName)),
  variables: optional(
    described(
      "Named expressions, computed once, in order; rules say `vars.NAME`.",
      list(object({ name: text({ pattern: celName, max: 64 }), expression }), { max: 200 }),
    ),
  ),
  rules: optional(list(policyRule, { max: 1000 })),
});
export type Policy = Of<typeof policy>;

/** Any JSON value, not looked into. */
function anyJson(): Shape<unknown> {
  return { schema: {}, check: () => undefined };
}
