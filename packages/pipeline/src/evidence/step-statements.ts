import { type Digest, directoryEntry } from "@touchmark/core";
import type { Statement, Subject } from "@touchmark/formats/evidence";
import {
  linkPredicate,
  PIPELINE_BUILD_TYPE,
  type Predecessor,
  runtimeTracePredicate,
  type SandboxRecord,
  type Selector,
  statementOf,
  subjectOf,
} from "@touchmark/formats/predicates";
import { nodeId, stepId } from "@touchmark/identity";
import type { SandboxEvidence } from "@touchmark/worker";
import type { ExecutedStep } from "../execute-step.ts";
import { chainOf, type RunFacts, timeOf } from "./run-facts.ts";

/** Most files that a link names one by one; a larger output is named by its tree digest alone. */
const MAX_NAMED_PRODUCTS = 1000;

/** Mounts whose host path says nothing but where this factory keeps its things. */
const nameless: ReadonlySet<string> = new Set(["input", "output", "generated", "temporary"]);

/** What the statements about one step need beside the step itself. */
export interface StepFacts {
  readonly executed: ExecutedStep;
  /** The step's key in the cache, which its link carries. */
  readonly key: Digest;
  readonly predecessors: readonly Predecessor[];
  /** Steps that read its output. */
  readonly sharedWith: readonly string[];
  /** The passed check of its gate. */
  readonly admitted: Selector;
  /** What it printed, as far as it was kept. */
  readonly logDigest: Digest;
  readonly logBytes: number;
}

/** The subject that every link has: the output tree, also when it is empty. */
export function outputSubject(step: string, tree: Digest): Subject {
  return subjectOf(`output/${step}`, tree);
}

/** The link: that the step was performed on these materials and made these products. Signed by the step's identity. */
export function linkStatement(facts: RunFacts, step: StepFacts): Statement<unknown> {
  const { executed } = step;
  const { name, definition } = executed.step;
  const { result, output } = executed;
  const products = output?.entries.filter((entry) => entry.kind === "file" || entry.kind === "executable") ?? [];
  const subjects = [
    outputSubject(name, output?.digest ?? directoryEntry("none").digest),
    ...(products.length <= MAX_NAMED_PRODUCTS ? products.map((entry) => subjectOf(entry.path, entry.digest)) : []),
  ];
  return statementOf(
    "link",
    subjects,
    linkPredicate({
      chain: chainOf(facts, step.predecessors),
      step: name,
      command: definition.command,
      materials: executed.inputs.map((input) => ({ name: input.from, digest: input.tree })),
      exitCode: result.exitCode ?? -1,
      log: { digest: step.logDigest, bytes: step.logBytes },
      environment: {
        key: step.key,
        outcome: result.outcome,
        tier: result.evidence.tier,
        network: result.evidence.network,
        ...(executed.image === undefined ? {} : { image: executed.image.manifest }),
        ...(result.truncated ? { printedBytes: result.logBytes } : {}),
        directory: definition.directory,
        ...(output === undefined || output.linksOutside.length === 0
          ? {}
          : { linksOutside: output.linksOutside.slice(0, 1000) }),
      },
    }),
  );
}

/** The runtime trace: what the observer saw. Signed by the step's identity, which the control plane holds. */
export function traceStatement(facts: RunFacts, step: StepFacts): Statement<unknown> {
  const { executed } = step;
  const { name } = executed.step;
  return statementOf(
    "runtime-trace",
    [outputSubject(name, executed.output?.digest ?? directoryEntry("none").digest)],
    runtimeTracePredicate({
      chain: chainOf(facts, step.predecessors),
      node: nodeId(facts.trustDomain),
      buildType: PIPELINE_BUILD_TYPE,
      step: name,
      startedOn: timeOf(executed.startedAt),
      finishedOn: timeOf(executed.finishedAt),
      observation: executed.observation,
    }),
  );
}

/** Which process the step was, by facts of the kernel. Signed by the builder. */
export function workloadStatement(facts: RunFacts, step: StepFacts): Statement<unknown> {
  const { executed } = step;
  const { name } = executed.step;
  const id = stepId(facts.trustDomain, facts.project, facts.pipeline, name);
  return statementOf(
    "workload-attestation",
    [outputSubject(name, executed.output?.digest ?? directoryEntry("none").digest)],
    {
      ...chainOf(facts, step.predecessors),
      node: nodeId(facts.trustDomain),
      workloads: [
        {
          step: name,
          spiffeId: id,
          attestedAt: timeOf(executed.finishedAt),
          selectors: [...selectorsOf(executed), step.admitted],
          sandbox: sandboxRecord(executed.result.evidence),
          keyHolder: "control-plane",
        },
      ],
    },
  );
}

/** Storage and network of the step. Signed by the builder. */
export function mountsStatement(facts: RunFacts, step: StepFacts): Statement<unknown> {
  const { executed } = step;
  const { name, definition } = executed.step;
  const { evidence } = executed.result;
  const inputs = new Map(executed.inputs.map((input) => [input.at, input]));
  const output = executed.output?.digest;
  const network = evidence.namespaces.net;
  return statementOf("mounts-and-network", [outputSubject(name, output ?? directoryEntry("none").digest)], {
    ...chainOf(facts, step.predecessors),
    steps: [
      {
        step: name,
        mounts: mountRows(executed).map((row) => {
          const input = row.kind === "input" ? inputs.get(row.at) : undefined;
          const from = input?.from ?? (nameless.has(row.kind) ? null : row.source);
          return {
            at: row.at,
            kind: row.kind,
            access: row.access,
            ...(from === null ? {} : { from }),
            ...(input === undefined ? {} : { digest: input.tree }),
          };
        }),
        output: {
          at: definition.output,
          ...(output === undefined ? {} : { digest: output }),
          sharedWith: [...step.sharedWith],
        },
        network: {
          declared: definition.network,
          enforced: evidence.network,
          ...(network === undefined ? {} : { namespace: network }),
          attempts: executed.observation.network.reduce((sum, attempt) => sum + attempt.count, 0),
          recorded: evidence.network === "proxy",
        },
      },
    ],
    hermetic: evidence.network === "none" && executed.observation.complete,
  });
}

/** What a step saw. Without a sandbox nothing is mounted, and its inputs lie where it was told. */
function mountRows({ inputs, result }: ExecutedStep): SandboxEvidence["mounts"] {
  const { backend, mounts } = result.evidence;
  if (backend !== "insecure-process") return mounts;
  return inputs.map(({ at, access }) => ({ at, kind: "input", source: null, access }));
}

function selectorsOf(executed: ExecutedStep): Selector[] {
  const { evidence } = executed.result;
  const kernel = (type: string, value: string): Selector => ({ type, value, label: "kernel" });
  const first = executed.observation.processes.find((process) => process.digest !== undefined);
  return [
    kernel("process", `${evidence.process.pid}`),
    kernel("start-time", evidence.process.startTime),
    kernel("user", String(evidence.user.host)),
    ...Object.entries(evidence.namespaces).map(([kind, inode]) => kernel(`${kind}-namespace`, inode)),
    ...(evidence.cgroup?.paths ?? []).map((path) => kernel("cgroup", path)),
    ...(first?.digest === undefined
      ? []
      : [kernel("executable", first.executable), kernel("executable-digest", first.digest)]),
  ];
}

function sandboxRecord(evidence: SandboxEvidence): SandboxRecord {
  const { cgroup, seccomp, peakMemoryBytes, bridge, mounts: _mounts, ...rest } = evidence;
  return {
    ...rest,
    namespaces: Object.fromEntries(Object.entries(rest.namespaces)),
    degraded: [...rest.degraded],
    ...(cgroup === null ? {} : { cgroup: { version: cgroup.version, paths: [...cgroup.paths] } }),
    ...(peakMemoryBytes === null ? {} : { peakMemoryBytes }),
    ...(seccomp === null ? {} : { seccomp }),
    ...(bridge === null
      ? {}
      : { bridge: { ...bridge, interfaces: [...bridge.interfaces], addresses: [...bridge.addresses] } }),
  };
}
