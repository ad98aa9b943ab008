import type { ProjectFiles } from "./project-files.ts";
import { limits, type Proposal, type ProposedStep, type ToolchainsFor } from "./proposal.ts";

/** Proposes steps for a go.mod. */
export function proposeGo(files: ProjectFiles, toolchainsFor: ToolchainsFor): Proposal | undefined {
  const text = files.read("go.mod");
  if (text === undefined) return undefined;
  const module = /^module\s+"?([^\s"]+)"?/m.exec(text)?.[1] ?? "module";
  const name =
    module
      .replace(/\/v[0-9]+$/, "")
      .split("/")
      .at(-1) ?? "module";
  const requires = /^(?:require\s+\S+\s+v|require\s*\()/m.test(text);
  const fetches = requires && !files.has("vendor/modules.txt");
  const toolchains = toolchainsFor("go");
  const steps: ProposedStep[] = [];
  if (fetches) {
    steps.push({
      name: "fetch",
      comment: "Downloads the modules that go.mod names, each checked against go.sum.",
      command: ["go", "mod", "download"],
      inputs: [{ from: "source", at: "/work/source" }],
      output: "/work/modules",
      // Writable, so that the output can be moved into the store.
      environment: { GOMODCACHE: "/work/modules", GOFLAGS: "-modcacherw", GOCACHE: "/tmp/go", GOTOOLCHAIN: "local" },
      fetch: true,
      toolchains,
      limits: limits.fetch,
    });
  }
  const inputs = [{ from: "source", at: "/work/source" }, ...(fetches ? [{ from: "fetch", at: "/work/modules" }] : [])];
  const common = {
    inputs,
    environment: {
      GOMODCACHE: fetches ? "/work/modules" : "/tmp/modules",
      GOCACHE: "/tmp/go",
      GOFLAGS: "-trimpath -buildvcs=false",
      GOPROXY: "off",
      GOTOOLCHAIN: "local",
    },
    toolchains,
    limits: limits.build,
  };
  steps.push({
    ...common,
    name: "test",
    comment: "Compiles everything and runs the tests. Its evidence is that it succeeded; it makes nothing.",
    command: ["go", "test", "./..."],
  });
  const programs = mainPackages(files, name);
  if (programs.length > 0) {
    steps.push({
      ...common,
      name: "build",
      comment: "Builds the programs. Without paths and revision in them, equal sources make equal bytes.",
      run: programs.map(({ path, program }) => `go build -o "$TOUCHMARK_OUTPUT/${program}" ${path}`),
    });
  }
  return {
    language: "go",
    tools: ["go"],
    project: name,
    steps,
    artifacts: programs.map(({ program }) => ({
      name: program,
      from: "build",
      path: program,
      kind: "executable",
      description: `The program ${program}.`,
    })),
    findings:
      fetches && !files.has("go.sum")
        ? [
            {
              severity: "error",
              file: "go.mod",
              message: "there is no go.sum",
              fix: "Run `go mod tidy` and commit go.sum.",
            },
          ]
        : [],
  };
}

function mainPackages(files: ProjectFiles, name: string): { path: string; program: string }[] {
  const isMain = (directory: string) =>
    files
      .list(directory)
      .some(
        (file) => /(?<!_test)\.go$/.test(file) && /^package main\b/m.test(files.read(`${directory}/${file}`) ?? ""),
      );
  const programs = isMain(".") ? [{ path: ".", program: name }] : [];
  for (const command of files.list("cmd")) {
    if (/^[A-Za-z0-9._-]+$/.test(command) && isMain(`cmd/${command}`))
      programs.push({ path: `./cmd/${command}`, program: command });
  }
  return programs.filter((one, i) => programs.findIndex((other) => other.program === one.program) === i);
}
