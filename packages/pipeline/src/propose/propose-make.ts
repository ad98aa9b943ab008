import type { ProjectFiles } from "./project-files.ts";
import { limits, type Proposal, type ProposedStep, type ToolchainsFor } from "./proposal.ts";

/** Proposes steps for a Makefile that stands alone. */
export function proposeMake(files: ProjectFiles, toolchainsFor: ToolchainsFor): Proposal | undefined {
  const file = ["GNUmakefile", "makefile", "Makefile"].find((name) => files.has(name));
  const text = file === undefined ? undefined : files.read(file);
  if (file === undefined || text === undefined) return undefined;
  const targets = new Set([...text.matchAll(/^([A-Za-z0-9_./-]+)\s*:(?!=)/gm)].map((match) => match[1]));
  const toolchains = toolchainsFor("make", "cc");
  const installs = targets.has("install") && /\bDESTDIR\b/.test(text);
  const common = { inputs: [{ from: "source", at: "/work/source", write: true }], toolchains, limits: limits.build };
  const test = ["test", "check"].find((name) => targets.has(name));
  const steps: ProposedStep[] = [
    {
      ...common,
      name: "build",
      comment: installs
        ? "Builds, and installs into the output."
        : "Builds, and keeps the whole directory: name what matters.",
      run: ["make", installs ? 'make install DESTDIR="$TOUCHMARK_OUTPUT"' : 'cp -R . "$TOUCHMARK_OUTPUT"'],
    },
  ];
  if (test !== undefined) {
    steps.unshift({
      ...common,
      name: "test",
      comment: "Runs the tests. Its evidence is that it succeeded; it makes nothing.",
      command: ["make", test],
    });
  }
  return {
    language: "c",
    tools: ["make"],
    steps,
    artifacts: [{ name: "build", from: "build", path: ".", kind: "directory", description: "What make makes." }],
    findings: installs
      ? []
      : [
          {
            severity: "note",
            file,
            message: "no target `install` with DESTDIR says what the build makes; the proposal keeps everything",
            fix: 'Copy what matters to "$TOUCHMARK_OUTPUT" in the step build.',
          },
        ],
  };
}
