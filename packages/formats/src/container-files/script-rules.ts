import type { Report } from "./finding.ts";
import { readImageName } from "./image-name.ts";
import { isShell, type ShellCommand } from "./shell-reader.ts";
import { actionOf, plainCommand } from "./shell-words.ts";

const engines = /^(?:docker|podman|nerdctl|buildah|skopeo|crane|ctr|kaniko|img|regctl|oras)$/;
const pulling = /^(?:pull|run|create|from|copy|cp|export|mutate)$/;
const commit = /(?:^|[/=#@])[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** Rules that hold for every script: in a recipe, a Makefile, a manifest, or a file of its own. */
export function lintScript(commands: readonly ShellCommand[], report: Report): void {
  const verified = commands.some(verifies);
  const checksOut = commands.some(
    ({ program, words }) =>
      program === "git" &&
      words.some((word) => commit.test(word)) &&
      /checkout|reset|fetch|switch|clone/.test(words.join(" ")),
  );
  for (const [index, each] of commands.entries()) {
    const command = plainCommand(each);
    const { program, words, at } = command;
    const shown = JSON.stringify(words.slice(0, 8).join(" ").slice(0, 120));
    if (isDownload(command)) {
      if (isExecuted(commands, index)) report("pipe-to-shell", at, `${shown} is executed as it comes`);
      else if (!verified) report("download-without-checksum", at, `${shown}: nothing compares what came with a digest`);
    }
    if (program === "git" && actionOf(command).verb === "clone" && !checksOut) {
      report("clone-without-commit", at, `${shown}: no commit is named`);
    }
    if (engines.test(program)) lintEngine(command, shown, report);
    lintInstaller(command, shown, report);
  }
}

function verifies({ program, words }: ShellCommand): boolean {
  if (/^(?:sha(?:256|384|512)sum|b2sum)$/.test(program) || program === "shasum") {
    return words.some((word) => word === "--check" || word === "--status" || /^-[a-z]*c[a-z]*$/.test(word));
  }
  if (/^gpgv?2?$/.test(program)) return program.startsWith("gpgv") || words.includes("--verify");
  return (program === "cosign" || program === "minisign" || program === "slsa-verifier") && words.length > 1;
}

function isDownload({ program, words }: ShellCommand): boolean {
  if (program !== "curl" && program !== "wget") return false;
  if (words.some((word) => /^-(?:V|h)$|^--(?:version|help)$/.test(word))) return false;
  return (
    words.length > 1 &&
    !words.some((word) => /^(?:https?:\/\/)?(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/.test(word))
  );
}

/** It flows into a shell, or stands in the words of one. */
function isExecuted(commands: readonly ShellCommand[], index: number): boolean {
  for (let i = index; commands[i]?.pipes === true; i++) {
    const next = commands[i + 1];
    if (next !== undefined && isInterpreter(next)) return true;
  }
  if (commands[index]?.nested !== true) return false;
  const outer = commands.slice(index + 1, index + 6).find(({ nested }) => !nested);
  return outer !== undefined && (isShell(outer.program) || outer.program === "." || outer.program === "source");
}

function isInterpreter({ program, words }: ShellCommand): boolean {
  if (isShell(program)) return !words.includes("-c");
  return (
    /^(?:python\d?(?:\.\d+)?|perl|ruby|node)$/.test(program) && !words.slice(1).some((word) => !word.startsWith("-"))
  );
}

function lintEngine(command: ShellCommand, shown: string, report: Report): void {
  const { verb, operands } = actionOf({ ...command, program: "docker" });
  const [next] = operands;
  const builds =
    verb === "build" ||
    verb === "bud" ||
    verb === "bake" ||
    (verb === "buildx" && (next === "build" || next === "bake"));
  if (builds || command.program === "kaniko") {
    report("hidden-build", command.at, `${shown} builds an image`);
    return;
  }
  if (!pulling.test(verb) && !(verb === "image" && next === "pull")) return;
  if (/^(?:buildah|docker|podman|nerdctl)$/.test(command.program) && /^(?:copy|cp|export)$/.test(verb)) return;
  if (command.words.some((word) => /@sha256:[0-9a-f]{64}$/.test(word))) return;
  const isFirst = /^(?:pull|run|create|from)$/.test(verb) || verb === "image";
  const named = operands.slice(verb === "image" ? 1 : 0);
  const image = isFirst
    ? named[0]
    : (named.find((word) => readImageName(word) !== undefined && /[:/]/.test(word)) ?? named.at(-1));
  if (image === undefined) return;
  const what = JSON.stringify(image.slice(0, 100));
  // A variable of the script may hold a digest; nobody can tell.
  if (image.includes("$"))
    report("hidden-pull", command.at, `${shown} takes an image that is decided elsewhere (${what})`, {
      severity: "note",
    });
  else report("hidden-pull", command.at, `${shown} takes an image without a digest (${what})`);
}

const fixes = {
  npm: "Use `npm ci --ignore-scripts`.",
  frozen: "Add --frozen-lockfile (pnpm, yarn 1, bun) or --immutable (yarn).",
  hashes: "Lock with hashes (`pip-compile --generate-hashes`, `uv export`) and add --require-hashes.",
};

function lintInstaller(command: ShellCommand, shown: string, report: Report): void {
  const { program, words, at } = command;
  const { verb, operands, options } = actionOf(command);
  const has = (...names: string[]) => options.some((option) => names.includes(option.split("=", 1)[0] ?? ""));
  const isGlobal = has("-g", "--global");
  if (program === "npm" && /^(?:install|i|add|update|up)$/.test(verb)) {
    const pinned = isGlobal && operands.length > 0 && operands.every((name) => /.@\d[\w.+-]*$/.test(name));
    if (!pinned)
      report("unlocked-install", at, `${shown} may choose other versions than the lockfile names`, { fix: fixes.npm });
  }
  if (program === "npm" && /^(?:ci|install|i|clean-install)$/.test(verb) && !has("--ignore-scripts")) {
    report("install-scripts", at, `${shown} runs the scripts of every package`);
  }
  if (
    /^(?:pnpm|yarn|bun)$/.test(program) &&
    /^(?:install|add|update)?$/.test(verb) &&
    words.every((word) => word !== "--version")
  ) {
    if (verb !== "" && !has("--frozen-lockfile", "--immutable")) {
      report("unlocked-install", at, `${shown} may choose other versions than the lockfile names`, {
        fix: fixes.frozen,
      });
    }
    if (verb === "install" && !has("--ignore-scripts", "--mode")) {
      report("install-scripts", at, `${shown} runs the scripts of every package`);
    }
  }
  if (
    /^(?:npx|pnpx|bunx)$/.test(program) &&
    !has("--no-install", "--no", "--offline") &&
    !/@\d/.test(words.join(" "))
  ) {
    report("unlocked-install", at, `${shown} fetches a program when it is not installed`);
  }
  if (
    program === "pip" &&
    /^(?:install|download|wheel)$/.test(verb) &&
    !has("--require-hashes", "--no-index", "--no-deps")
  ) {
    report("unlocked-install", at, `${shown} accepts whatever the index serves`, { fix: fixes.hashes });
  }
  if (program === "python" && words.some((word) => /(?:^|\/)setup\.py$/.test(word))) {
    report("install-scripts", at, `${shown} executes setup.py`);
  }
  if (program === "easy_install") report("install-scripts", at, `${shown} executes setup.py of whatever it finds`);
  if (
    program === "go" &&
    (verb === "get" || verb === "install") &&
    operands.some((name) => /@/.test(name) && !/@(?:v?\d|\$)/.test(name))
  ) {
    report("unlocked-install", at, `${shown} takes what is newest`);
  }
  if (program === "cargo" && verb === "install" && !has("--locked", "--frozen", "--offline")) {
    report("unlocked-install", at, `${shown} chooses the versions of dependencies itself`);
  }
  if (
    program === "gem" &&
    verb === "install" &&
    !has("-v", "--version") &&
    operands.some((name) => !/:\d/.test(name))
  ) {
    report("unlocked-install", at, `${shown} takes what is newest`);
  }
  if (program === "composer" && verb === "update") report("unlocked-install", at, `${shown} chooses versions itself`);
}
