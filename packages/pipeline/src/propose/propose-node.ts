import type { ProjectFiles } from "./project-files.ts";
import { limits, type Proposal, type ProposalFinding, type ProposedStep, type ToolchainsFor } from "./proposal.ts";

interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly scripts?: Readonly<Record<string, unknown>>;
  readonly workspaces?: unknown;
  readonly dependencies?: object;
  readonly devDependencies?: object;
  readonly optionalDependencies?: object;
}

interface Client {
  readonly name: "npm" | "pnpm" | "yarn";
  readonly lockfile: string;
  readonly install: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const quiet = { npm_config_cache: "/tmp/npm", npm_config_update_notifier: "false" };

/** Proposes steps for a package.json. */
export function proposeNode(files: ProjectFiles, toolchainsFor: ToolchainsFor): Proposal | undefined {
  const text = files.read("package.json");
  if (text === undefined) return undefined;
  const findings: ProposalFinding[] = [];
  let manifest: PackageJson = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) manifest = parsed;
  } catch {
    findings.push({ severity: "error", file: "package.json", message: "it is not JSON", fix: "Repair it." });
  }
  const client = chooseClient(files);
  const hasDependencies = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].some(
    (group) => group !== undefined && group !== null && Object.keys(group).length > 0,
  );
  const fetches = hasDependencies || manifest.workspaces !== undefined;
  if (fetches && !files.has(client.lockfile)) {
    findings.push({
      severity: "error",
      file: "package.json",
      message: "there is no lockfile, so that nobody can say which packages belong to a revision",
      fix: "Run `npm install --package-lock-only` and commit package-lock.json.",
    });
  }
  const toolchains = toolchainsFor("node", client.name);
  // One node_modules directory can be mounted where it belongs. Workspaces, pnpm and yarn make several: they travel
  // as one archive.
  const mounted = client.name === "npm" && manifest.workspaces === undefined;
  const steps: ProposedStep[] = [];
  if (fetches) steps.push(fetchStep(client, mounted, toolchains));
  const environment = client.name === "npm" ? quiet : { ...quiet, ...client.environment };
  const unpack = fetches && !mounted ? ["tar -xf /work/modules/node_modules.tar"] : [];
  const inputs = [
    { from: "source", at: "/work/source", write: true },
    ...(fetches
      ? [
          mounted
            ? { from: "fetch", at: "/work/source/node_modules", write: true }
            : { from: "fetch", at: "/work/modules" },
        ]
      : []),
  ];
  const common = { inputs, environment, toolchains, limits: limits.build };
  const scripts = manifest.scripts ?? {};
  const testScript = scripts["test"];
  if (typeof testScript === "string" && !testScript.includes("no test specified")) {
    steps.push({
      ...common,
      name: "test",
      comment: "Runs the project's tests. Its evidence is that it succeeded; it makes nothing.",
      ...(unpack.length === 0 ? { command: [client.name, "test"] } : { run: [...unpack, `${client.name} test`] }),
    });
  }
  const builds = typeof scripts["build"] === "string";
  const packs = typeof manifest.name === "string" && typeof manifest.version === "string";
  const artifacts = [];
  if (packs) {
    steps.push({
      ...common,
      name: "build",
      comment: `${builds ? "Builds the package, and packs" : "Packs"} it as it would be published, under a name that never changes.`,
      run: [
        ...unpack,
        ...(builds ? [`${client.name} run build`] : []),
        'npm pack --pack-destination "$TOUCHMARK_OUTPUT"',
        'mv "$TOUCHMARK_OUTPUT"/*.tgz "$TOUCHMARK_OUTPUT/package.tgz"',
      ],
    });
    artifacts.push({
      name: "package",
      from: "build",
      path: "package.tgz",
      kind: "npm-package",
      description: "The npm package.",
    });
  } else if (builds) {
    steps.push({
      ...common,
      name: "build",
      comment: "Builds the project. Keep what the build makes: here the directory dist.",
      run: [...unpack, `${client.name} run build`, 'cp -R dist/. "$TOUCHMARK_OUTPUT"'],
    });
    artifacts.push({ name: "dist", from: "build", path: ".", kind: "directory", description: "What the build makes." });
    findings.push({
      severity: "warning",
      file: "package.json",
      message: "it has no name and version, so that it cannot be packed; the proposal keeps the directory dist",
      fix: "Give it a name and a version, or name the right directory in the step build.",
    });
  } else {
    findings.push({
      severity: "warning",
      file: "package.json",
      message: "it has neither a name and version nor a script `build`: there is nothing to make",
      fix: "Add a script `build`, or a name and a version.",
    });
  }
  return {
    language: files.has("tsconfig.json") ? "typescript" : "javascript",
    tools: ["node", client.name],
    ...(typeof manifest.name === "string" ? { project: manifest.name } : {}),
    steps,
    artifacts,
    findings,
  };
}

function chooseClient(files: ProjectFiles): Client {
  if (files.has("pnpm-lock.yaml")) {
    const install = ["pnpm", "install", "--frozen-lockfile", "--ignore-scripts"];
    return { name: "pnpm", lockfile: "pnpm-lock.yaml", install, environment: { npm_config_store_dir: "/tmp/pnpm" } };
  }
  if (files.has("yarn.lock")) {
    const modern = /^__metadata:/m.test(files.read("yarn.lock") ?? "");
    const install = [
      "yarn",
      "install",
      ...(modern ? ["--immutable", "--mode=skip-build"] : ["--frozen-lockfile", "--ignore-scripts"]),
    ];
    return {
      name: "yarn",
      lockfile: "yarn.lock",
      install,
      environment: {
        YARN_CACHE_FOLDER: "/tmp/yarn",
        ...(modern ? { YARN_NODE_LINKER: "node-modules", YARN_ENABLE_GLOBAL_CACHE: "false" } : {}),
      },
    };
  }
  const lockfile = files.has("npm-shrinkwrap.json") ? "npm-shrinkwrap.json" : "package-lock.json";
  return {
    name: "npm",
    lockfile,
    install: ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    environment: {},
  };
}

function fetchStep(client: Client, mounted: boolean, toolchains: readonly string[]): ProposedStep {
  const common = {
    name: "fetch",
    comment: `Installs what ${client.lockfile} names, each package checked against its digest, without running scripts.`,
    inputs: [{ from: "source", at: "/work/source", write: true }],
    environment: { ...quiet, ...client.environment },
    fetch: true,
    toolchains,
    limits: limits.fetch,
  };
  if (mounted) return { ...common, command: client.install, output: "/work/source/node_modules" };
  return {
    ...common,
    run: [
      client.install.join(" "),
      'find . -name node_modules -prune -print0 | sort -z | tar --null -T - -cf "$TOUCHMARK_OUTPUT/node_modules.tar"',
    ],
  };
}
