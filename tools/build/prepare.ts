import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARTIFACT, mintBundle, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { rolldown } from "rolldown";
import type { Command } from "../../packages/cli/src/command.ts";
import { type PreparedProgram, preparedDirectory, prepareScript } from "../../packages/cli/src/prepared.ts";
import type { Terminal } from "../../packages/cli/src/terminal.ts";
import { repositoryRoot } from "../repository.ts";

const style = { good: String, bad: String, warn: String, dim: String, bold: String };

/**
 * Compiles the verify command of a bundle beforehand, for the Node that runs this: its program as one script, and what
 * V8 keeps of compiling it. The script has verified a bundle by then, so that just the functions which that takes are kept.
 */
export async function prepare(dist: string): Promise<void> {
  const directory = join(dist, preparedDirectory);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "verify.js"), await program(dist));
  const script = prepareScript(directory);
  const exports: { command?: Command } = {};
  (script.runInThisContext() as PreparedProgram)(process.getBuiltinModule, exports);
  if (exports.command === undefined) throw new Error("the script holds no command");
  await exercise(exports.command);
  writeFileSync(join(directory, "verify.cache"), script.createCachedData());
}

/** One script of all that verifying a bundle takes; verifying a chain takes more, and loads the bundle's own part. */
async function program(dist: string): Promise<string> {
  const chain = readdirSync(dist).find((name) => /^verify-chain-.*\.js$/.test(name));
  if (chain === undefined) throw new Error("the bundle has no verify-chain");
  const sources = join(repositoryRoot, "packages/");
  const build = await rolldown({
    cwd: repositoryRoot,
    input: join(sources, "cli/src/commands/verify.ts"),
    platform: "node",
    treeshake: { moduleSideEffects: (id) => !id.startsWith(sources) && !id.startsWith("node:") },
    plugins: [
      {
        name: "chain",
        resolveId: (id) => (id === "../verify-chain.ts" ? { id: `../${chain}`, external: true } : null),
      },
    ],
  });
  try {
    const { output } = await build.generate({ format: "cjs", codeSplitting: false, comments: false });
    return `(function (require, exports) {${output[0].code}\n})`;
  } finally {
    await build.close();
  }
}

async function exercise(command: Command): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-prepare-"));
  try {
    const world = mintWorld({ at: new Date() });
    const file = (name: string, bytes: Uint8Array): string => {
      writeFileSync(join(directory, name), bytes);
      return name;
    };
    const options = {
      bundle: file("bundle", mintBundle(world).bytes),
      trustRoot: file("root", trustedRootBytes(world)),
      identity: world.identity,
      issuer: world.issuer,
    };
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const terminal = { print: say, note: say, style, directory } as unknown as Terminal;
    const exitCode = await command.run({ arguments: [file("artifact", ARTIFACT)], options }, terminal);
    if (exitCode !== 0) throw new Error(lines.join("; "));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
