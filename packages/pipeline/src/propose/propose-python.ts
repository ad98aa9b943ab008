import type { ProjectFiles } from "./project-files.ts";
import { limits, type Proposal, type ProposalFinding, type ProposedStep, type ToolchainsFor } from "./proposal.ts";
import { tomlList, tomlTables, tomlText } from "./toml-light.ts";

/** Proposes steps for a pyproject.toml. */
export function proposePython(files: ProjectFiles, toolchainsFor: ToolchainsFor): Proposal | undefined {
  const text = files.read("pyproject.toml");
  if (text === undefined) return undefined;
  const tables = tomlTables(text);
  const name = tomlText(tables.get("project")?.get("name")) ?? tomlText(tables.get("tool.poetry")?.get("name"));
  const findings: ProposalFinding[] = [];
  const requirements = files.read("requirements.txt");
  const hashed = requirements !== undefined && requirements.includes("--hash=");
  const build = tomlList(tables.get("build-system")?.get("requires"));
  const backend = build.length > 0 ? build : ["setuptools>=61", "wheel"];
  const wanted = [
    ...backend,
    ...(requirements === undefined ? tomlList(tables.get("project")?.get("dependencies")) : []),
  ];
  const tests = files.has("tests") || files.has("test");
  const tester =
    tests && /\bpytest\b/.test(`${text}\n${requirements ?? ""}`) && !/^pytest\b/m.test(requirements ?? "")
      ? ["pytest"]
      : [];
  if (!hashed) {
    findings.push({
      severity: "warning",
      file: requirements === undefined ? "pyproject.toml" : "requirements.txt",
      message: "no list of requirements names digests, so that the index decides which bytes are used",
      fix: "Make one with `pip-compile --generate-hashes` (build requirements too), and use --require-hashes.",
    });
  }
  const toolchains = toolchainsFor("python3");
  const pip = { PIP_NO_CACHE_DIR: "1", PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  const download = "python3 -m pip download --dest /work/wheels";
  const safe = [...wanted, ...tester].filter(
    (word) => /^[A-Za-z0-9._,<>=!~; "'[\]-]+$/.test(word) && !word.startsWith("-"),
  );
  const fetch: ProposedStep = {
    name: "fetch",
    comment: "Downloads the packages, and those that build the project, as files.",
    run: [
      ...(requirements === undefined ? [] : [`${download}${hashed ? " --require-hashes" : ""} -r requirements.txt`]),
      `${download} ${safe.map((word) => `'${word.replaceAll("'", '"')}'`).join(" ")}`,
    ],
    inputs: [{ from: "source", at: "/work/source" }],
    output: "/work/wheels",
    environment: pip,
    fetch: true,
    toolchains,
    limits: limits.fetch,
  };
  const common = {
    inputs: [
      { from: "source", at: "/work/source", write: true },
      { from: "fetch", at: "/work/wheels" },
    ],
    environment: { ...pip, PIP_NO_INDEX: "1", PIP_FIND_LINKS: "/work/wheels" },
    toolchains,
    limits: limits.build,
  };
  const steps: ProposedStep[] = [fetch];
  if (tests) {
    const runner = /\bpytest\b/.test(`${text}\n${requirements ?? ""}`) ? "-m pytest" : "-m unittest discover";
    steps.push({
      ...common,
      name: "test",
      comment: "Installs the project from the downloaded files alone, and runs its tests.",
      run: [
        "python3 -m venv /tmp/venv",
        `/tmp/venv/bin/pip install --no-index ${requirements === undefined ? "" : "-r requirements.txt "}. ${tester.join(" ")}`.trimEnd(),
        `/tmp/venv/bin/python ${runner}`,
      ],
    });
  }
  steps.push({
    ...common,
    name: "build",
    comment: "Builds the wheel.",
    run: ['python3 -m pip wheel --no-index --no-deps --wheel-dir "$TOUCHMARK_OUTPUT" .'],
  });
  return {
    language: "python",
    tools: ["python", "pip"],
    ...(name === undefined ? {} : { project: name }),
    steps,
    artifacts: [
      {
        name: "wheel",
        from: "build",
        path: ".",
        kind: "directory",
        description: "The wheel; its file name holds the version.",
      },
    ],
    findings,
  };
}
