/**
 * What cataloguing and scanning cost, beside the peers in the same session: `node bench/sbom/sbom.ts INPUTS [ROUNDS [PART...]]`,
 * with the directory that inputs.ts makes. Whole processes in turn, start included, ours bundled as the package has it;
 * then the second look at many stored documents, in process. Prints the tables of docs/benchmarks-sbom.md.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { type Contestant, interleave, median, pairRatio } from "../interleave.ts";
import { describeMachine } from "../machine.ts";
import { makeHome } from "./home.ts";
import { measureRematch } from "./rematch.ts";

const [given, rounds = "5", ...only] = process.argv.slice(2);
if (given === undefined) throw new Error("expected: node bench/sbom/sbom.ts INPUTS [ROUNDS]");
const inputs = resolve(given);
const repository = join(import.meta.dirname, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "touchmark-bench-sbom-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const home = join(scratch, "home");
const environment = {
  ...process.env,
  ...{ TOUCHMARK_HOME: home, SYFT_CHECK_FOR_APP_UPDATE: "false", FETCH_LICENSE: "false" },
};

/** The command as an installed package has it, of the sources as they are now. */
function install(): string {
  const root = join(scratch, "package");
  const words = [join(repository, "tools", "build.ts"), "--out", join(root, "dist")];
  const built = spawnSync(process.execPath, words, { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the command cannot be bundled: ${built.stderr}`);
  cpSync(join(repository, "bin"), join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "package.json"), '{"name":"touchmark","type":"module"}\n');
  for (const name of [".tools", "node_modules"]) {
    if (existsSync(join(repository, name))) symlinkSync(join(repository, name), join(root, name));
  }
  return join(root, "bin", "touchmark");
}

const touchmark = install();
const [syft, cdxgen, osvScanner, cyclonedxNpm] = ["syft", "cdxgen", "osv-scanner", "cyclonedx-npm"].map(findProgram);
const output = (name: string): string => join(scratch, `${name}.json`);

function sbomOf(source: string): Contestant {
  const words = ["sbom", source, "--format", "cyclonedx-json", "--output", output("ours")];
  return { name: "touchmark", argv: [touchmark, ...words], environment };
}

function bySyft(source: string, more: NodeJS.ProcessEnv = {}): Contestant[] {
  if (syft === undefined) return [];
  const argv = [syft, "-q", source, "-o", `cyclonedx-json=${output("syft")}`];
  const name = more["SYFT_JAVASCRIPT_INCLUDE_DEV_DEPENDENCIES"] === undefined ? "syft" : "syft, with development";
  return [{ name, argv, environment: { ...environment, ...more } }];
}

function byCdxgen(directory: string): Contestant[] {
  if (cdxgen === undefined) return [];
  const words = ["--no-recurse", "--no-install-deps", "-o", output("cdxgen"), directory];
  return [{ name: "cdxgen", argv: [cdxgen, ...words], environment }];
}

/** osv-scanner ends with 1 when it finds something: that is no failure. */
function byOsvScanner(directory: string): Contestant[] {
  if (osvScanner === undefined) return [];
  const place = ["--offline", "--local-db-path", join(inputs, "advisories"), "--format", "json"];
  const words = [osvScanner, "scan", "source", "-r", ...place, "--output-file", output("osv"), directory];
  return [{ name: "osv-scanner", argv: ["/bin/sh", "-c", '"$@" || test $? -eq 1', "sh", ...words], environment }];
}

function byCycloneDxNpm(directory: string): Contestant[] {
  if (cyclonedxNpm === undefined) return [];
  const words = ["--package-lock-only", "--ignore-npm-errors", "--output-file", output("cyclonedx-npm")];
  return [{ name: "cyclonedx-npm", argv: [cyclonedxNpm, ...words, join(directory, "package.json")], environment }];
}

/** Parts are names of inputs, and `rematch`. */
const isWanted = (part: string): boolean => only.length === 0 || only.includes(part);
const path = (name: string): string => join(inputs, name);
const development = { SYFT_JAVASCRIPT_INCLUDE_DEV_DEPENDENCIES: "true" };
const scan: Contestant = {
  name: "touchmark",
  argv: [touchmark, "scan", `dir:${path("npm")}`, "--format", "json", "--output", output("scan")],
  environment,
};

/** What is measured: the input, and who takes part, we first. */
const works: readonly (readonly [name: string, input: string, contestants: () => readonly Contestant[]])[] = [
  [
    "catalogue of a lock of npm",
    "npm",
    () => [
      ...[sbomOf(`dir:${path("npm")}`), ...bySyft(`dir:${path("npm")}`, development), ...bySyft(`dir:${path("npm")}`)],
      ...[...byCdxgen(path("npm")), ...byCycloneDxNpm(path("npm"))],
    ],
  ],
  ["scan of it with 50,000 advisories", "npm", () => [scan, ...byOsvScanner(path("npm"))]],
  [
    "root file system, directory",
    "rootfs",
    () => [sbomOf(`dir:${path("rootfs")}`), ...bySyft(`dir:${path("rootfs")}`)],
  ],
  ["the same as an image", "oci", () => [sbomOf(`oci-dir:${path("oci")}`), ...bySyft(`oci-dir:${path("oci")}`)]],
  ["programs written in Go", "go", () => [sbomOf(`dir:${path("go")}`), ...bySyft(`dir:${path("go")}`)]],
  ["archives of Java", "jars", () => [sbomOf(`dir:${path("jars")}`), ...bySyft(`dir:${path("jars")}`)]],
  ["environment of Python", "venv", () => [sbomOf(`dir:${path("venv")}`), ...bySyft(`dir:${path("venv")}`)]],
  ...["pnpm", "yarn", "uv", "cargo"].map(
    (name) => [`lock: ${name}`, name, () => [sbomOf(`dir:${path(name)}`), ...bySyft(`dir:${path(name)}`)]] as const,
  ),
];

const machine = describeMachine();
const lines = ["| Work | Program | Time | Ratio | Memory at most |", "| --- | --- | --- | --- | --- |"];
if (isWanted("npm")) makeHome(home, path("advisories"), [touchmark]);
for (const [name, input, contestants] of works) {
  if (!existsSync(path(input)) || !isWanted(input)) continue;
  process.stderr.write(`${name}\n`);
  try {
    const timings = await interleave(contestants(), Number(rounds));
    const [own] = timings;
    for (const timing of timings) {
      const ratio = own === undefined || timing === own ? "" : `${pairRatio(own, timing).toFixed(2)}×`;
      const seconds = (median(timing.wallMs) / 1000).toFixed(2);
      const memory = timing.peakMiB === null ? "" : `${Math.round(timing.peakMiB)} MiB`;
      lines.push(`| ${timing === own ? name : ""} | ${timing.name} | ${seconds} s | ${ratio} | ${memory} |`);
    }
  } catch (error) {
    lines.push(
      `| ${name} | not measured: ${error instanceof Error ? error.message.slice(0, 200).replace(/\s+/g, " ") : ""} | | | |`,
    );
  }
}
const again = !isWanted("rematch")
  ? []
  : await measureRematch(path("npm"), path("advisories"), join(scratch, "rematch"), 1000, 100);
const { cpu, cores, memoryGiB, kernel, node, load } = machine;
process.stdout.write(
  [
    `${cores} cores of ${cpu}, ${memoryGiB} GiB, ${kernel}, Node ${node}, load ${load} at the start; ${rounds} rounds.`,
    ...["", ...lines, ""],
    ...["| 1,000 stored documents after 100 changed advisories | |", "| --- | --- |", ...again, ""],
  ].join("\n"),
);
