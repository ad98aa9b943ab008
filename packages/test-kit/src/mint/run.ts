import { createHash } from "node:crypto";
import { canonicalJson, type Digest, leafHash, sha256 } from "@touchmark/core";
import { type BundleJson, type BundleRecipe, mintBundle } from "./bundle.ts";
import type { MintWorld } from "./world.ts";

/** A statement of a minted run, before it is signed. Loosely typed: tests put anything anywhere. */
export interface RunStatement {
  readonly name: string;
  /** SPIFFE id. */
  signer: string;
  issuer?: string;
  statement: BundleJson;
  /** Names of earlier statements that it lists. */
  predecessors: string[];
}

/** How tests bend a run. */
export interface RunRecipe {
  /** Changes a statement before it is signed; its predecessors are filled in after. */
  readonly change?: (statement: RunStatement, minted: ReadonlyMap<string, MintedStatement>) => void;
  /** Changes what the release manifest lists, and all else of it. */
  readonly release?: (predicate: BundleJson, statement: RunStatement) => void;
  /** Statements that are signed after all others but the manifest, which lists them. */
  readonly more?: (minted: ReadonlyMap<string, MintedStatement>) => RunStatement[];
  readonly run?: string;
  /** Takes the step `build` from an earlier run, by a cache hit. */
  readonly cached?: MintedRun;
  /** Entries of others that the log has before this run. */
  readonly logBefore?: number;
}

/** A signed statement of a run. */
export interface MintedStatement {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly logIndex: number;
  readonly certificate: Digest;
  readonly statement: BundleJson;
}

/** A run's evidence, by name. */
export interface MintedRun {
  readonly statements: ReadonlyMap<string, MintedStatement>;
  readonly artifact: Digest;
  readonly source: string;
  readonly builder: string;
  bundles(): Uint8Array[];
}

const STEPS = [
  { name: "fetch", inputs: ["source"], network: "open" },
  { name: "build", inputs: ["source", "fetch"], network: "none" },
] as const;

const digestOf = (text: string): Digest => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const hex = (digest: Digest): string => digest.slice(7);
const subject = (name: string, digest: Digest) => ({ name, digest: { sha256: hex(digest) } });
const own = (name: string): string => `https://touchmark.dev/predicates/${name}/v1`;

export const runFacts = {
  run: "run-1",
  project: "demo",
  pipeline: "default",
  source: "git+https://git.example/demo",
  commit: "0123456789abcdef0123456789abcdef01234567",
  sourceTree: digestOf("source tree"),
  outputs: { fetch: digestOf("output of fetch"), build: digestOf("output of build") } as Record<string, Digest>,
  artifact: digestOf("app.tgz"),
} as const;

/** Mints all evidence of a small run: two steps, one artifact. Every statement goes through one log, in order. */
export function mintRun(world: MintWorld, recipe: RunRecipe = {}): MintedRun {
  const minted = new Map<string, MintedStatement>();
  const before = Array.from({ length: recipe.logBefore ?? 0 }, (_, i) => leafHash(Buffer.from(`before ${i}`)));
  const log = { ...world.log, leaves: [...world.log.leaves, ...before] };
  const run = recipe.run ?? runFacts.run;
  const put = (draft: RunStatement): void => {
    recipe.change?.(draft, minted);
    place(draft, run, minted);
    const predicate = draft.statement.predicate;
    if (draft.name === "release") recipe.release?.(predicate, draft);
    minted.set(draft.name, sign(world, draft, log));
    log.leaves.push(leafHash(Buffer.from(draft.name)));
  };
  const { cached } = recipe;
  for (const draft of drafts(world, run)) {
    if (cached === undefined || !draft.name.startsWith("step/build/")) put(draft);
    else if (draft.name === "step/build/mounts") adopt(world, cached, minted, put);
  }
  for (const draft of recipe.more?.(minted) ?? []) put(draft);
  put(credentials(world, minted));
  put(release(world, minted));
  return {
    statements: minted,
    artifact: runFacts.artifact,
    source: runFacts.source,
    builder: `spiffe://${world.trustDomain}/builder`,
    bundles: () => [...minted.values()].map((each) => each.bytes),
  };
}

/** Takes over the earlier statements about `build`, and says so. */
function adopt(
  world: MintWorld,
  cached: MintedRun,
  minted: Map<string, MintedStatement>,
  put: (draft: RunStatement) => void,
): void {
  const earlier = [...cached.statements].filter(([name]) => name.startsWith("step/build/"));
  for (const [name, statement] of earlier) minted.set(name, statement);
  const link = minted.get("step/build/link") as MintedStatement;
  const { predicate } = link.statement;
  const output = runFacts.outputs["build"] as Digest;
  put(
    draft(
      "step/build/cache-hit",
      `spiffe://${world.trustDomain}/builder`,
      own("cache-hit"),
      [subject("output/build", output)],
      {
        step: "build",
        key: predicate.environment.key,
        output,
        materials: predicate.materials.map((each: BundleJson) => ({
          name: each.name,
          digest: `sha256:${each.digest.sha256}`,
        })),
        original: {
          run: predicate.touchmark_chain.run,
          functionary: `spiffe://${world.trustDomain}/project/${runFacts.project}/pipeline/${runFacts.pipeline}/step/build`,
          link: link.digest,
          bundles: earlier.map(([, each]) => each.digest),
        },
      },
      ["trigger", "source", "node", "step/fetch/link", "step/build/link"],
    ),
  );
}

function place(draft: RunStatement, run: string, minted: ReadonlyMap<string, MintedStatement>): void {
  const { predicate } = draft.statement;
  const chain = {
    run,
    createdAt: "2026-06-01T12:00:00Z",
    predecessors: draft.predecessors.map((name) => ({ name, digest: minted.get(name)?.digest ?? digestOf(name) })),
  };
  if (draft.statement.predicateType.startsWith("https://touchmark.dev/")) {
    draft.statement.predicate = { ...chain, ...predicate };
  } else {
    draft.statement.predicate = { touchmark_chain: chain, ...predicate };
  }
}

function sign(world: MintWorld, draft: RunStatement, log: MintWorld["log"]): MintedStatement {
  const recipe: BundleRecipe = {
    statement: draft.statement,
    leaf: { uris: [draft.signer], ...(draft.issuer === undefined ? {} : { identityIssuer: draft.issuer }) },
    entries: [{ log, after: 0 }],
  };
  const { bytes, certificate } = mintBundle(world, recipe);
  return {
    bytes,
    digest: sha256(bytes),
    logIndex: log.leaves.length,
    certificate: sha256(certificate),
    statement: draft.statement,
  };
}

function draft(
  name: string,
  signer: string,
  type: string,
  subjects: unknown[],
  predicate: unknown,
  predecessors: string[],
): RunStatement {
  const statement = { _type: "https://in-toto.io/Statement/v1", subject: subjects, predicateType: type, predicate };
  return { name, signer, statement, predecessors };
}

function drafts(world: MintWorld, run: string): RunStatement[] {
  const builder = `spiffe://${world.trustDomain}/builder`;
  const node = `spiffe://${world.trustDomain}/node`;
  const request = {
    source: { uri: runFacts.source, revision: "main" },
    pipeline: { file: "touchmark.yaml", name: runFacts.pipeline },
    parameters: { version: "1" },
    insecureOptions: [],
    cache: true,
  };
  const pipelineFile = { path: "touchmark.yaml", digest: digestOf("pipeline file") };
  const sourceSubject = subject("source", runFacts.sourceTree);
  const list: RunStatement[] = [
    draft(
      "trigger",
      builder,
      own("trigger"),
      [subject("request", sha256(canonicalJson(request)))],
      {
        actor: { kind: "local-user", name: "user", authentication: "kernel" },
        cause: "command",
        requestedAt: "2026-06-01T11:59:00Z",
        request,
        factory: { name: "touchmark", version: "0.1.0", builder },
      },
      [],
    ),
    draft(
      "source",
      builder,
      own("source"),
      [sourceSubject],
      {
        uri: runFacts.source,
        revision: "main",
        commit: runFacts.commit,
        tree: runFacts.commit,
        treeDigest: runFacts.sourceTree,
        entries: 3,
        committedAt: "2026-06-01T11:00:00Z",
        signature: { format: "none", status: "absent" },
        submodules: [],
        largeFiles: [],
        workingTree: false,
        changedFiles: [],
        pipelineFile,
      },
      ["trigger"],
    ),
    draft(
      "node",
      node,
      own("node-attestation"),
      [sourceSubject],
      {
        node,
        evidence: "self-claim",
        attestedAt: "2026-06-01T11:59:00Z",
        selectors: [],
        limits: [],
      },
      ["trigger"],
    ),
  ];
  for (const step of STEPS) list.push(...stepDrafts(world, run, step));
  const links = STEPS.map((step) => `step/${step.name}/link`);
  const all = list.map((each) => each.name);
  list.push(
    draft(
      "environment",
      builder,
      own("environment"),
      [sourceSubject],
      {
        platform: { system: "Linux", release: "6", architecture: "x64", processors: 2 },
        runtime: { name: "node", version: "24" },
        packages: { manager: "none", list: [] },
        files: [],
        complete: true,
        toolchains: [],
        variables: [],
        tools: [],
      },
      all,
    ),
    draft(
      "provenance/app",
      builder,
      "https://slsa.dev/provenance/v1",
      [subject("app.tgz", runFacts.artifact)],
      {
        buildDefinition: {
          buildType: "https://touchmark.dev/buildtypes/pipeline/v1",
          externalParameters: {
            source: request.source,
            pipeline: request.pipeline,
            parameters: request.parameters,
            insecure: request.insecureOptions,
          },
          internalParameters: { pipelineFile: pipelineFile.digest },
          resolvedDependencies: [
            { name: "source", uri: `${runFacts.source}@${runFacts.commit}`, digest: { gitCommit: runFacts.commit } },
            ...STEPS.map((step) => ({
              name: `output/${step.name}`,
              digest: { sha256: hex(runFacts.outputs[step.name] as Digest) },
            })),
          ],
        },
        runDetails: { builder: { id: builder }, metadata: { invocationId: run } },
      },
      ["trigger", "source", ...links],
    ),
  );
  return list;
}

/** Link, trace, storage and workload of a step. */
export function stepDrafts(
  world: MintWorld,
  run: string,
  step: { name: string; inputs: readonly string[]; network: string },
): RunStatement[] {
  const builder = `spiffe://${world.trustDomain}/builder`;
  const { name } = step;
  const id = `spiffe://${world.trustDomain}/project/${runFacts.project}/pipeline/${runFacts.pipeline}/step/${name}`;
  const output = runFacts.outputs[name] as Digest;
  const inputOf = (input: string): Digest =>
    input === "source" ? runFacts.sourceTree : (runFacts.outputs[input] as Digest);
  const before = [
    "trigger",
    "source",
    "node",
    ...step.inputs.filter((each) => each !== "source").map((each) => `step/${each}/link`),
  ];
  const products = name === "build" ? [subject("app.tgz", runFacts.artifact)] : [];
  const outputSubject = subject(`output/${name}`, output);
  return [
    draft(
      `step/${name}/workload`,
      builder,
      own("workload-attestation"),
      [outputSubject],
      {
        node: `spiffe://${world.trustDomain}/node`,
        workloads: [
          { step: name, spiffeId: id, attestedAt: "2026-06-01T12:00:00Z", selectors: [], keyHolder: "control-plane" },
        ],
      },
      before,
    ),
    draft(
      `step/${name}/link`,
      id,
      "https://in-toto.io/attestation/link/v0.3",
      [outputSubject, ...products],
      {
        name,
        command: ["make"],
        materials: step.inputs.map((input) => ({ name: input, digest: { sha256: hex(inputOf(input)) } })),
        byproducts: { "return-value": 0 },
        environment: { key: digestOf(`key of ${name}`) },
      },
      before,
    ),
    draft(
      `step/${name}/trace`,
      id,
      "https://in-toto.io/attestation/runtime-trace/v0.2",
      [outputSubject],
      {
        monitor: { type: "https://touchmark.dev/monitors/strace/v1" },
        monitoredProcess: { hostID: "node", type: "x:y", event: `run/${run}/step/${name}` },
        monitorLog: {},
        touchmark_trace: {
          tier: "strace",
          complete: true,
          losses: [],
          coverage: {},
          notCovered: [],
          events: {},
          written: [],
          deleted: [],
          transient: { count: 0, sample: [] },
          directories: { count: 0, sample: [] },
          refused: [],
        },
      },
      before,
    ),
    draft(
      `step/${name}/mounts`,
      builder,
      own("mounts-and-network"),
      [outputSubject],
      {
        steps: [
          {
            step: name,
            mounts: step.inputs.map((input) => ({
              at: `/work/${input}`,
              kind: "input",
              from: input,
              access: "read-only",
              digest: inputOf(input),
            })),
            output: { at: "/work/output", digest: output, sharedWith: [] },
            network: {
              declared: step.network === "open" ? "fetch" : "none",
              enforced: step.network,
              attempts: 0,
              recorded: false,
            },
          },
        ],
        hermetic: step.network === "none",
      },
      before,
    ),
  ];
}

function credentials(world: MintWorld, minted: ReadonlyMap<string, MintedStatement>): RunStatement {
  const time = "2026-06-01T12:00:00Z";
  return draft(
    "credentials",
    `spiffe://${world.trustDomain}/builder`,
    own("credential-issuance"),
    [subject("source", runFacts.sourceTree)],
    {
      issuer: world.issuer,
      certificates: [...minted.values()].map((each) => ({
        spiffeId: `spiffe://${world.trustDomain}/builder`,
        profile: "signing",
        serial: "00ff",
        notBefore: time,
        notAfter: time,
        certificate: each.certificate,
        publicKey: digestOf("key"),
        issuer: digestOf("issuer"),
      })),
    },
    [...minted.keys()],
  );
}

function release(world: MintWorld, minted: ReadonlyMap<string, MintedStatement>): RunStatement {
  const at = (name: string) => minted.get(name) as MintedStatement;
  return draft(
    "release",
    `spiffe://${world.trustDomain}/builder`,
    own("release"),
    [subject("app.tgz", runFacts.artifact)],
    {
      project: runFacts.project,
      pipeline: runFacts.pipeline,
      source: { uri: runFacts.source, commit: runFacts.commit, treeDigest: runFacts.sourceTree },
      artifacts: [
        {
          name: "app",
          kind: "file",
          step: "build",
          path: "app.tgz",
          digest: runFacts.artifact,
          bytes: 7,
          bundles: [at("provenance/app").digest],
        },
      ],
      steps: STEPS.map(({ name }) => ({
        name,
        output: runFacts.outputs[name],
        link: at(`step/${name}/link`).digest,
        trace: at(`step/${name}/trace`).digest,
      })),
      bundles: [...minted].map(([name, each]) => ({
        name,
        predicateType: each.statement.predicateType,
        digest: each.digest,
        logIndex: each.logIndex,
      })),
    },
    [...minted.keys()],
  );
}
