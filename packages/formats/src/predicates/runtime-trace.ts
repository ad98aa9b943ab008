import { type Digest, digestHex } from "@touchmark/core";
import { bytes, type Chain, chain, digest, path, type Resource, resource, time } from "./common.ts";
import {
  anyObject,
  described,
  flag,
  list,
  type Of,
  object,
  openObject,
  optional,
  record,
  text,
  whole,
} from "./shape.ts";

/** Type of our monitor; a later incompatible one gets another URI. */
export const MONITOR_TYPE = "https://touchmark.dev/monitors/strace/v1";

const sample = object({ count: whole(), sample: list(path, { max: 1000 }) });

/** What the standard has no place for: what may be missing, and what was changed. */
export const traceExtension = object({
  tier: described("Kind of observer, or `none`.", text({ max: 64 })),
  complete: described("True when nothing that the tier covers was lost.", flag),
  losses: list(text({ max: 4096 }), { max: 1000 }),
  coverage: described("What each class of record rests on.", record(text({ max: 4096 }))),
  notCovered: list(text({ max: 4096 }), { max: 100 }),
  events: record(whole()),
  log: optional(described("The whole raw trace, kept by digest.", object({ digest, bytes, uncompressedBytes: bytes }))),
  written: described("Files of the output that the step wrote and that survive.", list(resource)),
  deleted: described("Inputs that the step removed or replaced in its private copy.", list(resource)),
  transient: sample,
  directories: sample,
  refused: list(object({ call: text({ max: 64 }), pid: whole(), count: whole(), answer: text({ max: 64 }) }), {
    max: 1_000_000,
  }),
});

/** in-toto runtime-trace v0.2 with our extension. */
export const runtimeTrace = openObject({
  monitor: openObject({ type: text(), configSource: optional(resource), tracePolicy: optional(anyObject) }),
  monitoredProcess: openObject({ hostID: text(), type: text(), event: text() }),
  monitorLog: openObject({
    process: optional(list(anyObject)),
    network: optional(list(anyObject)),
    fileAccess: optional(list(resource)),
  }),
  metadata: optional(openObject({ buildStartedOn: optional(time), buildFinishedOn: optional(time) })),
  touchmark_trace: optional(traceExtension),
  touchmark_chain: optional(chain),
});
export type RuntimeTrace = Of<typeof runtimeTrace>;

/** One observed file, as @touchmark/observer reports it. */
export interface TracedFile {
  readonly path: string;
  readonly origin: string;
  readonly digest: Digest | undefined;
  readonly digestTime: string;
  readonly executed?: boolean;
}

/** What an observer saw: the part of @touchmark/observer's Observation that the predicate carries. */
export interface TracedStep {
  readonly tier: string;
  readonly complete: boolean;
  readonly losses: readonly string[];
  readonly coverage: { readonly notCovered: readonly string[] };
  readonly events: object;
  readonly processes: readonly {
    readonly pid: number;
    readonly parent: number | undefined;
    readonly executable: string;
    readonly executableBy: string;
    readonly digest: Digest | undefined;
    readonly argv: readonly string[];
    readonly argvTruncated: boolean;
    readonly directory: string;
    readonly exit: object | undefined;
  }[];
  readonly files: {
    readonly read: readonly TracedFile[];
    readonly written: readonly TracedFile[];
    readonly deleted: readonly TracedFile[];
    readonly transient: { readonly count: number; readonly sample: readonly string[] };
    readonly directories: { readonly count: number; readonly sample: readonly string[] };
  };
  readonly network: readonly {
    readonly pid: number;
    readonly call: string;
    readonly family: string;
    readonly address: string | undefined;
    readonly port: number | undefined;
    readonly result: string;
    readonly count: number;
  }[];
  readonly refused: readonly {
    readonly call: string;
    readonly pid: number;
    readonly count: number;
    readonly answer: string;
  }[];
  readonly log: { readonly digest: Digest; readonly bytes: number; readonly uncompressedBytes: number } | undefined;
}

/** What a runtime trace states about one step. */
export interface RuntimeTraceContent {
  readonly chain: Chain;
  /** URI of the node, a SPIFFE id. */
  readonly node: string;
  readonly buildType: string;
  readonly step: string;
  /** RFC 3339. */
  readonly startedOn: string;
  readonly finishedOn: string;
  readonly observation: TracedStep;
}

/** Builds a runtime-trace predicate from an observation. */
export function runtimeTracePredicate(content: RuntimeTraceContent): RuntimeTrace {
  const { observation: seen } = content;
  const { notCovered, ...coverage } = seen.coverage;
  return {
    monitor: { type: MONITOR_TYPE, tracePolicy: { tier: seen.tier } },
    monitoredProcess: {
      hostID: content.node,
      type: content.buildType,
      event: `run/${content.chain.run}/step/${content.step}`,
    },
    monitorLog: {
      process: seen.processes.map(({ argv, argvTruncated, ...process }) =>
        present({ ...process, arguments: argv, ...(argvTruncated ? { argumentsTruncated: true } : {}) }),
      ),
      network: seen.network.map(({ address, pid, ...attempt }) =>
        present({
          ip: address,
          protocol: protocolOf(attempt.call, attempt.family),
          ...attempt,
          invokingProcess: { pid },
        }),
      ),
      fileAccess: seen.files.read.map(fileResource),
    },
    metadata: { buildStartedOn: content.startedOn, buildFinishedOn: content.finishedOn },
    touchmark_trace: {
      tier: seen.tier,
      complete: seen.complete,
      losses: seen.losses,
      coverage: { ...coverage },
      notCovered,
      events: { ...seen.events },
      ...(seen.log === undefined
        ? {}
        : { log: { digest: seen.log.digest, bytes: seen.log.bytes, uncompressedBytes: seen.log.uncompressedBytes } }),
      written: seen.files.written.map(fileResource),
      deleted: seen.files.deleted.map(fileResource),
      transient: { count: seen.files.transient.count, sample: seen.files.transient.sample },
      directories: { count: seen.files.directories.count, sample: seen.files.directories.sample },
      refused: seen.refused.map(({ call, pid, count, answer }) => ({ call, pid, count, answer })),
    },
    touchmark_chain: content.chain,
  };
}

function fileResource(file: TracedFile): Resource {
  return {
    name: file.path,
    ...(file.digest === undefined ? {} : { digest: { sha256: digestHex(file.digest) } }),
    annotations: {
      origin: file.origin,
      digestTime: file.digestTime,
      ...(file.executed === undefined ? {} : { executed: file.executed }),
    },
  };
}

/** The standard wants a transport protocol; of a refused call only the address family is certain. */
function protocolOf(call: string, family: string): string | undefined {
  if (!/^(AF_INET6?|inet6?|ip[46v]*)$/i.test(family)) return undefined;
  return call === "connect" || call === "accept" || call === "listen" ? "tcp" : undefined;
}

function present(value: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}
