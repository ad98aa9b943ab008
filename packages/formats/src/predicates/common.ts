import type { Digest } from "@touchmark/core";
import {
  anyObject,
  described,
  list,
  type Of,
  object,
  oneOf,
  openObject,
  optional,
  record,
  type Shape,
  text,
  whole,
} from "./shape.ts";

/** Shapes that several predicates share. */

/** `sha256:` and 64 lower-case hexadecimal digits. */
export const digest = text({ pattern: /^sha256:[0-9a-f]{64}$/, max: 71 }) as Shape<Digest>;
/** RFC 3339 in UTC, to the second or millisecond. */
export const time = text({ pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/, max: 24 });
/** SPIFFE id. */
export const spiffeId = text({ pattern: /^spiffe:\/\/[a-z0-9.-]+(\/[A-Za-z0-9._-]+)+$/, max: 2048 });
/** A name: no control characters. */
export const name = text({ pattern: /^[^\u0000-\u001f\u007f]+$/, max: 1024 });
/** A path as seen by people and steps. */
export const path = text({ pattern: /^[^\u0000]+$/, max: 4096 });
/** An absolute URI. */
export const uri = text({ pattern: /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$/, max: 4096 });
/** Git object id, SHA-1 or SHA-256. */
export const gitId = text({ pattern: /^([0-9a-f]{40}|[0-9a-f]{64})$/, max: 64 });
/** A run's id. */
export const runId = text({ pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, max: 128 });
/** Prose for people. */
export const prose = text({ max: 16_384 });

/** A statement or bundle that came before, by what it says and its digest. */
export const predecessor = object({
  name: described("What the earlier document is, for example `source` or `step/build/link`.", name),
  digest: described("SHA-256 of the earlier bundle's bytes.", digest),
});
export type Predecessor = Of<typeof predecessor>;

/** The members that every predicate of our own has: they make the statements of a run one chain. */
export const chainMembers = {
  run: described("Id of the run that the statement belongs to.", runId),
  createdAt: described(
    "When the control plane wrote the statement, by its own clock; the time-stamp is the proof.",
    time,
  ),
  predecessors: described(
    "Digests of the bundles that were signed before and that this one rests on.",
    list(predecessor, { max: 10_000 }),
  ),
} as const;

/** The same members as one object: `touchmark_chain` in standard predicates. */
export const chain = object(chainMembers);
/** Place of a statement in its run's chain. */
export type Chain = Of<typeof chain>;

/** in-toto DigestSet: algorithm to lower-case hexadecimal. */
export const digestSet = record(text({ pattern: /^[0-9a-f]+$/, max: 256 }), /^[A-Za-z0-9_]{1,64}$/);
/** in-toto ResourceDescriptor. */
export const resource = openObject({
  name: optional(text({ max: 4096 })),
  uri: optional(text({ max: 4096 })),
  digest: optional(digestSet),
  content: optional(text({ max: 1_048_576 })),
  downloadLocation: optional(text({ max: 4096 })),
  mediaType: optional(text({ max: 256 })),
  annotations: optional(anyObject),
});
/** in-toto ResourceDescriptor. */
export type Resource = Of<typeof resource>;

/** A selector: one fact about a node or workload, and what it is worth. */
export const selector = object({
  type: described(
    "Kind of fact, for example `pid-namespace` or `executable-digest`.",
    text({ pattern: /^[a-z0-9-]+$/, max: 64 }),
  ),
  value: text({ max: 4096 }),
  label: described(
    "Where the fact comes from: the kernel of this host, a redeemed join token, a hardware quote, the node's own word, or a gate of the factory, whose signed decision the value names.",
    oneOf("kernel", "join-token", "x509pop", "tpm-software", "tpm-hardware", "psat", "self-claim", "gate"),
  ),
});
export type Selector = Of<typeof selector>;

/** Bytes. */
export const bytes = whole();
