import type { ProjectFiles } from "./project-files.ts";
import { limits, type Proposal, type ProposalFinding, type ProposedStep, type ToolchainsFor } from "./proposal.ts";
import { tomlList, tomlTables, tomlText } from "./toml-light.ts";

interface Crate {
  readonly name: string;
  readonly version: string | undefined;
  readonly programs: readonly string[];
}

/** Proposes steps for a Cargo.toml. */
export function proposeRust(files: ProjectFiles, toolchainsFor: ToolchainsFor): Proposal | undefined {
  const text = files.read("Cargo.toml");
  if (text === undefined) return undefined;
  const root = readCrate(files, ".", text);
  const crates = [...(root ? [root] : []), ...members(files, text)];
  const findings: ProposalFinding[] = [];
  const locked = files.has("Cargo.lock");
  if (!locked) {
    findings.push({
      severity: "error",
      file: "Cargo.toml",
      message: "there is no Cargo.lock",
      fix: "Run `cargo generate-lockfile` and commit Cargo.lock.",
    });
  }
  const fetches = !locked || /^source = /m.test(files.read("Cargo.lock") ?? "");
  const toolchains = toolchainsFor("cargo", "rustc");
  const steps: ProposedStep[] = [];
  if (fetches) {
    steps.push({
      name: "fetch",
      comment: "Downloads the crates that Cargo.lock names, each checked against its digest.",
      command: ["cargo", "fetch", "--locked"],
      inputs: [{ from: "source", at: "/work/source" }],
      output: "/work/cargo",
      environment: { CARGO_HOME: "/work/cargo" },
      fetch: true,
      toolchains,
      limits: limits.fetch,
    });
  }
  const common = {
    inputs: [
      { from: "source", at: "/work/source", write: true },
      // cargo locks and unpacks in its home.
      ...(fetches ? [{ from: "fetch", at: "/work/cargo", write: true }] : []),
    ],
    environment: { CARGO_HOME: fetches ? "/work/cargo" : "/tmp/cargo", CARGO_INCREMENTAL: "0" },
    toolchains,
    limits: limits.build,
  };
  steps.push({
    ...common,
    name: "test",
    comment: "Runs the tests. Its evidence is that it succeeded; it makes nothing.",
    command: ["cargo", "test", "--frozen", "--workspace"],
  });
  const programs = [...new Set(crates.flatMap((crate) => crate.programs))];
  const library = programs.length === 0 ? root : undefined;
  if (programs.length > 0) {
    steps.push({
      ...common,
      name: "build",
      comment: "Builds the programs and keeps them alone.",
      run: [
        "cargo build --release --frozen --workspace",
        `cp ${programs.map((p) => `target/release/${p}`).join(" ")} "$TOUCHMARK_OUTPUT"`,
      ],
    });
  } else if (library) {
    steps.push({
      ...common,
      name: "build",
      comment: "Packs the crate as it would be published, under a name that never changes.",
      run: [
        "cargo package --frozen --no-verify",
        `mv target/package/${library.name}-*.crate "$TOUCHMARK_OUTPUT/${library.name}.crate"`,
      ],
    });
  }
  return {
    language: "rust",
    tools: ["cargo"],
    ...(crates[0] === undefined ? {} : { project: crates[0].name }),
    steps,
    artifacts: [
      ...programs.map((name) => ({
        name,
        from: "build",
        path: name,
        kind: "executable",
        description: `The program ${name}.`,
      })),
      ...(library
        ? [
            {
              name: library.name,
              from: "build",
              path: `${library.name}.crate`,
              kind: "rust-crate",
              description: "The crate.",
            },
          ]
        : []),
    ],
    findings,
  };
}

function readCrate(files: ProjectFiles, directory: string, text: string): Crate | undefined {
  const tables = tomlTables(text);
  const name = tomlText(tables.get("package")?.get("name"));
  if (name === undefined || !/^[A-Za-z0-9_-]+$/.test(name)) return undefined;
  const programs = [...tables].flatMap(([table, values]) =>
    table.startsWith("bin#") ? [tomlText(values.get("name")) ?? ""] : [],
  );
  if (files.has(`${directory}/src/main.rs`) && programs.length === 0) programs.push(name);
  return {
    name,
    version: tomlText(tables.get("package")?.get("version")),
    programs: programs.filter((p) => /^[A-Za-z0-9_-]+$/.test(p)),
  };
}

function members(files: ProjectFiles, text: string): Crate[] {
  const patterns = tomlList(tomlTables(text).get("workspace")?.get("members"));
  return patterns.flatMap((pattern) => {
    const parent = pattern.replace(/\/\*$/, "");
    const directories = pattern === parent ? [pattern] : files.list(parent).map((name) => `${parent}/${name}`);
    return directories.flatMap((directory) => {
      const crate = readCrate(files, directory, files.read(`${directory}/Cargo.toml`) ?? "");
      return crate ? [crate] : [];
    });
  });
}
