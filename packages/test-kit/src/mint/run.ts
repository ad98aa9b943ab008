import { canonicalJson, type Digest, leafHash, sha256 } from "@touchmark/core";
import { type BundleJson, type BundleRecipe, mintBundle } from "./bundle.ts";
import { digestOf, draft, hex, own, type RunStatement, runFacts, runSteps, stepDrafts, subject } from "./run-steps.ts";
import type { MintWorld } from "./world.ts";

/** How tests bend a run. */
export interface RunRecipe {
  /** Changes a statement before it is signed; its predecessors are filled in after. */
  readonly change?: (statement: RunStatement, minted: ReadonlyMap<string, MintedStatement>) => void;
  /** Changes what the release manifest lists, and all else of it. */
  readonly release?: (predicate: BundleJson, statement: RunStatement) => void;
  /** Statements that are signed after all others but the manifest, which lists them. */
  readonly more?: (minted: ReadonlyMap<string, MintedStatement>) => RunStatement[];
  /** Statements that are signed after the manifest, which does not list them. */
  readonly after?: () => RunStatement[];
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

/** Mints all evidence of a small run: two steps, one artifact. Every statement goes through one log, in order. */
export function mintRun(world: MintWorld, recipe: RunRecipe = {}): MintedRun {
  const minted = new Map<string, MintedStatement>();
  const before = Array.from({ length: recipe.logBefore ?? 0 }, (_, i) => leafHash(Buffer.from(`before ${i}`)));
  const log = { ...world.log, leaves: [...world.log.leaves, ...before] };
  const run = recipe.run ?? runFacts.run;
  const put = (made: RunStatement): void => {
    recipe.change?.(made, minted);
    place(made, run, minted);
    const predicate = made.statement.predicate;
    if (made.name === "release") recipe.release?.(predicate, made);
    minted.set(made.name, sign(world, made, log));
    log.leaves.push(leafHash(Buffer.from(made.name)));
  };
  const { cached } = recipe;
  for (const made of drafts(world, run)) {
    if (cached === undefined || !made.name.startsWith("step/build/")) put(made);
    else if (made.name === "step/build/mounts") adopt(world, cached, minted, put);
  }
  for (const made of recipe.more?.(minted) ?? []) put(made);
  put(credentials(world, minted));
  put(release(world, minted));
  for (const made of recipe.after?.() ?? []) put(made);
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
  put: (made: RunStatement) => void,
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

function place(made: RunStatement, run: string, minted: ReadonlyMap<string, MintedStatement>): void {
  const { predicate } = made.statement;
  const chain = {
    run,
    createdAt: "2026-06-01T12:00:00Z",
    predecessors: made.predecessors.map((name) => ({ name, digest: minted.get(name)?.digest ?? digestOf(name) })),
  };
  if (made.statement.predicateType.startsWith("https://touchmark.dev/")) {
    made.statement.predicate = { ...chain, ...predicate };
  } else {
    made.statement.predicate = { touchmark_chain: chain, ...predicate };
  }
}

function sign(world: MintWorld, made: RunStatement, log: MintWorld["log"]): MintedStatement {
  const recipe: BundleRecipe = {
    statement: made.statement,
    leaf: { uris: [made.signer], ...(made.issuer === undefined ? {} : { identityIssuer: made.issuer }) },
    entries: [{ log, after: 0 }],
  };
  const { bytes, certificate } = mintBundle(world, recipe);
  return {
    bytes,
    digest: sha256(bytes),
    logIndex: log.leaves.length,
    certificate: sha256(certificate),
    statement: made.statement,
  };
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
  for (const step of runSteps) list.push(...stepDrafts(world, run, step));
  const links = runSteps.map((step) => `step/${step.name}/link`);
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
            ...runSteps.map((step) => ({
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
      steps: runSteps.map(({ name }) => ({
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
