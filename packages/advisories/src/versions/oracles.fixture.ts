import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";

/** Two versions. */
export type Pair = readonly [string, string];

/** A tool that compares versions of an ecosystem, and is not ours. */
export interface Oracle {
  readonly ecosystem: string;
  readonly tool: string;
  /** True when it is here. */
  readonly isHere: boolean;
  /** -1, 0 or 1 for each pair; undefined for what it refuses. */
  compare(pairs: readonly Pair[]): readonly (number | undefined)[];
}

/** Runs a program that reads pairs as JSON and writes answers as JSON. */
function ask(program: string, words: readonly string[], pairs: readonly Pair[]): readonly (number | undefined)[] {
  const { stdout, status, stderr } = spawnSync(program, words, {
    input: JSON.stringify(pairs),
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.slice(0, 500)}`);
  const answers = JSON.parse(stdout) as readonly (number | null)[];
  return answers.map((answer) => answer ?? undefined);
}

function runs(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: "ignore" }).status === 0;
}

const python = `
import json, sys
try:
    from packaging.version import parse, LegacyVersion
except ImportError:
    from pip._vendor.packaging.version import parse, LegacyVersion
import warnings
warnings.simplefilter("ignore")
print(json.dumps([(parse(a) > parse(b)) - (parse(a) < parse(b)) for a, b in json.load(sys.stdin)]))
`;
const ruby = `
require "json"
ok = ->(v) { Gem::Version.correct?(v) }
puts JSON.generate(JSON.parse(STDIN.read).map { |a, b| ok[a] && ok[b] ? Gem::Version.new(a) <=> Gem::Version.new(b) : nil })
`;
const php = `
require "Composer/Semver/autoload.php";
$parser = new Composer\\Semver\\VersionParser();
$answers = [];
foreach (json_decode(stream_get_contents(STDIN)) as [$a, $b]) {
  try { $answers[] = version_compare($parser->normalize($a), $parser->normalize($b)); }
  catch (UnexpectedValueException $e) { $answers[] = null; }
}
echo json_encode($answers);
`;
const shell = `
while read -r a b; do
  if dpkg --compare-versions "$a" lt "$b" 2>/dev/null; then echo -1
  elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then echo 0
  else echo 1; fi
done
`;

/** Directory of Maven's own libraries, found by its command. */
function mavenLibraries(): string | undefined {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const command = join(directory, "mvn");
    if (!existsSync(command)) continue;
    const library = join(dirname(dirname(realpathSync(command))), "lib");
    if (existsSync(library) && readdirSync(library).some((name) => name.startsWith("maven-artifact"))) return library;
  }
  return undefined;
}

const mavenLibrary = mavenLibraries();

function compareByMaven(pairs: readonly Pair[]): readonly number[] {
  const words = ["-cp", join(mavenLibrary ?? "", "*"), "org.apache.maven.artifact.versioning.ComparableVersion"];
  const { stdout } = spawnSync("java", [...words, ...pairs.flat()], { encoding: "utf8", maxBuffer: 2 ** 26 });
  const compared = stdout.split("\n").filter((line) => line.startsWith("   "));
  const signs = compared.map((line) => (line.includes(" < ") ? -1 : line.includes(" > ") ? 1 : 0));
  // It compares each version with the one before; every second answer is that of a pair.
  return pairs.map((_, i) => signs[2 * i] ?? Number.NaN);
}

function compareByRpm(pairs: readonly Pair[]): readonly number[] {
  const calls = pairs.map(([a, b]) => `print(rpm.vercmp(${JSON.stringify(a)},${JSON.stringify(b)}) .. " ")`);
  const { stdout } = spawnSync("rpm", ["--eval", `%{lua: ${calls.join("\n")}}`], { encoding: "utf8" });
  return stdout.trim().split(/\s+/).map(Number);
}

function compareByDpkg(pairs: readonly Pair[]): readonly number[] {
  const input = pairs.map(([a, b]) => `${a} ${b}\n`).join("");
  const { stdout } = spawnSync("sh", ["-c", shell], { input, encoding: "utf8" });
  return stdout.trim().split("\n").map(Number);
}

/** The semver library that npm itself brings. */
function nodeSemver(): { compare(a: string, b: string, loose: boolean): number } | undefined {
  try {
    const npm = createRequire(createRequire(import.meta.url).resolve("npm/package.json"));
    return npm("semver");
  } catch {
    return undefined;
  }
}

const semver = nodeSemver();

/** All of them; a test skips those that are not here. */
export const oracles: readonly Oracle[] = [
  { ecosystem: "Debian", tool: "dpkg", isHere: runs("dpkg", ["--version"]), compare: compareByDpkg },
  {
    ecosystem: "Red Hat",
    tool: "rpm",
    isHere: runs("rpm", ["--eval", "%{lua: rpm.vercmp('1','1')}"]),
    compare: compareByRpm,
  },
  {
    ecosystem: "PyPI",
    tool: "packaging with legacy versions",
    isHere: runs("python3", ["-c", python.slice(0, python.indexOf("print"))]),
    compare: (pairs) => ask("python3", ["-c", python], pairs),
  },
  {
    ecosystem: "RubyGems",
    tool: "Gem::Version",
    isHere: runs("ruby", ["--version"]),
    compare: (pairs) => ask("ruby", ["-e", ruby], pairs),
  },
  {
    ecosystem: "Packagist",
    tool: "composer/semver",
    isHere: runs("php", ["-r", 'require "Composer/Semver/autoload.php";']),
    compare: (pairs) => ask("php", ["-r", php], pairs),
  },
  {
    ecosystem: "Maven",
    tool: "ComparableVersion",
    isHere: mavenLibrary !== undefined && runs("java", ["-version"]),
    compare: compareByMaven,
  },
  {
    ecosystem: "npm",
    tool: "node semver",
    isHere: semver !== undefined,
    compare: (pairs) =>
      pairs.map(([a, b]) => {
        try {
          return semver?.compare(a, b, true);
        } catch {
          return undefined;
        }
      }),
  },
];
