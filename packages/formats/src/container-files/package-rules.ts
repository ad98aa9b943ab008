import type { Position } from "../pipeline/definition.ts";
import type { Report } from "./finding.ts";
import type { ShellCommand } from "./shell-reader.ts";
import { type Action, actionOf, plainCommand } from "./shell-words.ts";

/** What the system's and language's installers do in one RUN. */
export interface PackageUse {
  /** Package lists were fetched here. */
  readonly updates: Position | undefined;
  /** Packages of the system were installed here with apt. */
  readonly aptInstall: Position | undefined;
  /** Compilers and their kind that were installed, or programs that compile. */
  readonly tools: readonly { readonly name: string; readonly at: Position }[];
  /** Caches that stay behind. */
  readonly caches: readonly { readonly message: string; readonly at: Position }[];
}

/** What of a stage decides about caches. */
export interface CacheSetting {
  /** Directories that are cache or tmpfs mounts in this RUN. */
  readonly mounts: readonly string[];
  /** Variables that are set. */
  readonly variables: ReadonlySet<string>;
}

const systemInstallers = /^(?:apt-get|apt|aptitude|apk|dnf|yum|microdnf|tdnf|zypper|pacman)$/;
const compilers =
  /^(?:gcc|g\+\+|cc|c\+\+|clang|make|cmake|ninja(?:-build)?|build-essential|build-base|alpine-sdk|musl-dev|libc6?-dev|golang(?:-go)?|go|rustc|cargo|rust|gfortran|default-jdk|openjdk-[\w-]*jdk|maven|gradle|python3?-dev|python3?-devel|gcc-c\+\+|automake|autoconf|libtool|bison|flex|binutils)(?:-\d[\w.]*)?$/;
const building =
  /^(?:go (?:build|install|test)|cargo (?:build|install|test)|mvn \S+|gradle \S+|\.?\/?gradlew \S+|make(?: .*)?|cmake(?: .*)?|gcc .*|g\+\+ .*|rustc .*|javac .*|dotnet (?:build|publish)|tsc(?: .*)?|webpack(?: .*)?|npm run build.*|yarn build.*|pnpm build.*)$/;

/** Judges the installers of one RUN; what needs the whole stage is answered. */
export function lintPackages(commands: readonly ShellCommand[], setting: CacheSetting, report: Report): PackageUse {
  const tools: { name: string; at: Position }[] = [];
  const caches: { message: string; at: Position }[] = [];
  const all = commands.map(plainCommand).map((command) => ({ command, action: actionOf(command) }));
  const removed = all
    .filter(({ command }) => command.program === "rm")
    .flatMap(({ action }) => [action.verb, ...action.operands]);
  const cleans = (path: string) =>
    removed.some((word) => path.startsWith(word.replace(/\/?\*?$/, "")) && word.length > 4) ||
    setting.mounts.some((mount) => path.startsWith(mount.replace(/\/$/, "")));
  // Build tools that the same RUN removes again are no part of the image.
  const gone = all.some(({ action: other }) => /^(?:purge|remove|del|erase|autoremove)$/.test(other.verb));
  let updates: Position | undefined;
  let aptInstall: Position | undefined;
  for (const { command, action } of all) {
    const { program, at, words } = command;
    const shown = JSON.stringify(words.slice(0, 6).join(" ").slice(0, 100));
    if (systemInstallers.test(program)) {
      if (isUpgrade(program, action)) report("os-upgrade", at, `${shown} replaces what the base image was tested with`);
      if (/^(?:apt-get|apt|aptitude)$/.test(program) && action.verb === "update") updates ??= at;
      if (isInstall(program, action)) {
        if (program.startsWith("apt")) aptInstall ??= at;
        const loose = action.operands.filter((name) => !isPinned(program, name, action));
        if (loose.length > 0) {
          const names = loose.slice(0, 8).join(", ").slice(0, 200);
          report("unpinned-package", at, `${program}: no version of ${names}${loose.length > 8 ? ", …" : ""}`);
        }
        const kept = [
          ...new Set(
            action.operands.map((name) => name.split(/[=<>~]/, 1)[0] ?? "").filter((name) => compilers.test(name)),
          ),
        ];
        if (!gone) for (const name of kept) tools.push({ name, at });
        const left = systemCache(program, action, cleans, all);
        if (left !== undefined) caches.push({ message: left, at });
      }
    }
    if (program === "pip" && action.verb === "install") {
      const off = action.options.includes("--no-cache-dir") || setting.variables.has("PIP_NO_CACHE_DIR");
      if (!off && !cleans("/root/.cache/pip")) caches.push({ message: `${shown} keeps its cache`, at });
    }
    if (program === "npm" && /^(?:ci|install|i)$/.test(action.verb)) {
      const cleaned = all.some(({ command: { program: other, words: w } }) => other === "npm" && w.includes("cache"));
      if (!cleaned && !cleans("/root/.npm")) caches.push({ message: `${shown} keeps its cache`, at });
    }
    if (!gone && building.test([program, ...words.slice(1)].join(" ").slice(0, 200)))
      tools.push({ name: [program, words[1] ?? ""].join(" ").trim(), at });
  }
  return { updates, aptInstall, tools, caches };
}

function isUpgrade(program: string, { verb, options, operands }: Action): boolean {
  switch (program) {
    case "apt-get":
    case "apt":
    case "aptitude":
      return /^(?:upgrade|dist-upgrade|full-upgrade|safe-upgrade)$/.test(verb);
    case "apk":
      return verb === "upgrade" || (verb === "add" && options.some((each) => each === "-u" || each === "--upgrade"));
    case "zypper":
      return /^(?:up|update|dup|dist-upgrade|patch)$/.test(verb);
    case "pacman":
      return options.some((each) => /^-S[a-z]*u/.test(each)) || options.includes("--sysupgrade");
    default:
      // `dnf update NAME` still takes what is newest.
      return (
        /^(?:update|upgrade|distro-sync|update-minimal|upgrade-minimal)$/.test(verb) ||
        (verb === "group" && operands[0] === "upgrade")
      );
  }
}

function isInstall(program: string, { verb, options }: Action): boolean {
  if (program === "pacman") return options.some((each) => /^-S[a-z]*$/.test(each)) && verb !== "";
  return program === "apk" ? verb === "add" : /^(?:install|in|localinstall)$/.test(verb);
}

function isPinned(program: string, name: string, action: Action): boolean {
  if (name.startsWith(".") || name.startsWith("/") || /\.(?:deb|rpm|apk)$/.test(name) || name.includes("$"))
    return true;
  if (/^(?:apt-get|apt|aptitude)$/.test(program)) return name.includes("=") || name.endsWith("-");
  if (program === "apk") return /[=~]/.test(name) || name.startsWith("!") || action.options.includes("--no-network");
  if (program === "pacman") return name === action.verb;
  return name.includes("=") || /-\d[\w.]*(?:-[\w.]+)?$/.test(name);
}

function systemCache(
  program: string,
  { options }: Action,
  cleans: (path: string) => boolean,
  all: readonly { readonly command: ShellCommand; readonly action: Action }[],
): string | undefined {
  const cleaned = (verb: string) =>
    all.some(({ action, command }) => systemInstallers.test(command.program) && action.verb === verb);
  if (program.startsWith("apt"))
    return cleans("/var/lib/apt/lists/x") ? undefined : "the lists below /var/lib/apt/lists stay";
  if (program === "apk") {
    return options.includes("--no-cache") || cleans("/var/cache/apk/x")
      ? undefined
      : "the index below /var/cache/apk stays; --no-cache keeps none";
  }
  if (program === "pacman")
    return cleans("/var/cache/pacman/pkg/x") ? undefined : "packages below /var/cache/pacman stay";
  return cleaned("clean") || cleans(`/var/cache/${program}`)
    ? undefined
    : `the cache of ${program} stays; ${program} clean all removes it`;
}
