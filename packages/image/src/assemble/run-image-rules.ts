import { imageErrors } from "../errors.ts";

/** What a definition may allow beside the rule; each stands in the record of the image. */
export type ImageAllowance = "compilers" | "caches" | "root-user" | "setuid" | "secrets";

const bin = "(?:usr/|usr/local/|opt/[^/]+/|usr/lib/[^/]+/|usr/local/[^/]+/)?s?bin/";
const tools = [
  // With the triplet of a target before and a version behind: x86_64-linux-gnu-gcc-12.
  "(?:[a-z0-9_]+-[a-z0-9_-]+-)?(?:gcc|g\\+\\+|c\\+\\+|cc|c89|c99|cpp|gfortran|gnat|clang|clang\\+\\+|tcc|as|ld(?:\\.bfd|\\.gold|\\.lld)?|lld)(?:-[0-9.]+)?",
  "g?make|cmake|ninja|meson|go|gofmt|rustc|cargo|javac|kotlinc|scalac|ghc|ocamlopt(?:\\.opt)?|swiftc|nasm|yasm|zig",
].join("|");

/** Programs that make programs. Whoever breaks into a container shall not find them there. */
const compilerRules: readonly RegExp[] = [
  new RegExp(`^${bin}(?:${tools})$`),
  /(?:^|\/)(?:go|jdk[^/]*|java[^/]*|\.cargo|toolchains\/[^/]+)\/bin\/(?:go|gofmt|javac|rustc|cargo)$/,
  /(?:^|\/)(?:lib|libexec|lib64)\/gcc\/.*\/(?:cc1|cc1plus|cc1obj|f951|lto1|collect2|lto-wrapper)$/,
  /(?:^|\/)pkg\/tool\/[^/]+\/(?:compile|link|asm)$/,
];

/** What package managers leave for the next installation, which never comes. */
const cacheRules: readonly RegExp[] = [
  /^var\/lib\/apt\/lists\/(?!lock$|auxfiles$|partial$).+/,
  /^var\/cache\/apt\/(?:archives\/.+\.deb|[^/]+\.bin)$/,
  /^var\/cache\/(?:dnf|yum|apk|pacman\/pkg|zypp|debconf-cache)\/.+/,
  /^etc\/apk\/cache\/.+/,
  /(?:^|\/)\.npm\/_cacache\/.+/,
  /(?:^|\/)\.cache\/(?:pip|go-build|yarn|pnpm|uv|pypoetry|node-gyp|composer|ccache|bazel)\/.+/,
  /(?:^|\/)\.m2\/repository\/.+/,
  /(?:^|\/)\.gradle\/(?:caches|daemon|wrapper\/dists)\/.+/,
  /(?:^|\/)\.cargo\/registry\/.+/,
  /(?:^|\/)go\/pkg\/mod\/.+/,
  /(?:^|\/)\.yarn\/(?:berry\/)?cache\/.+/,
  /(?:^|\/)\.(?:nuget\/packages|ivy2\/cache|composer\/cache|bundle\/cache|cpan\/build)\/.+/,
];

/** What stands against a path of a run image; undefined: nothing does. `path` without the leading slash. */
export function pathFault(path: string): "compilers" | "caches" | undefined {
  if (compilerRules.some((rule) => rule.test(path))) return "compilers";
  if (cacheRules.some((rule) => rule.test(path))) return "caches";
  return undefined;
}

const codes = { compilers: "IMAGE_COMPILER_PRESENT", caches: "IMAGE_CACHE_PRESENT" } as const;
const named = { compilers: "compilers and build tools", caches: "caches of package managers" } as const;
const SHOWN = 5;

/**
 * Refuses compilers and caches among the files of a run image, unless they are allowed.
 * @throws IMAGE_COMPILER_PRESENT | IMAGE_CACHE_PRESENT
 */
export function checkRunFiles(files: Iterable<string>, allow: readonly ImageAllowance[]): void {
  const found = { compilers: [] as string[], caches: [] as string[] };
  for (const path of files) {
    const fault = pathFault(path);
    if (fault !== undefined && !allow.includes(fault)) found[fault].push(path);
  }
  for (const kind of ["compilers", "caches"] as const) {
    const paths = found[kind].sort();
    if (paths.length === 0) continue;
    const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : "";
    const shown = paths.slice(0, SHOWN).map((path) => `/${path}`);
    throw imageErrors.make(codes[kind], `expected no ${named[kind]} in a run image, found ${shown.join(", ")}${more}`);
  }
}
