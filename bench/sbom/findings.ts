/**
 * Findings beside osv-scanner's, from the same records and without a network: `node bench/sbom/findings.ts INPUTS`, with
 * the directory that inputs.ts makes; the image needs skopeo. Compares record, package and version, and prints the table of docs/accuracy.md.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { makeHome } from "./home.ts";

const [inputs] = process.argv.slice(2);
if (inputs === undefined) throw new Error("expected: node bench/sbom/findings.ts INPUTS");
const osvScanner = findProgram("osv-scanner");
if (osvScanner === undefined) throw new Error("osv-scanner is not installed: bash bench/peers/install.sh osv-scanner");
const scratch = mkdtempSync(join(tmpdir(), "touchmark-bench-findings-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const home = join(scratch, "home");
const main = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");
const advisories = join(inputs, "advisories");

interface OurComponent {
  readonly ref: string;
  readonly name: string;
  readonly version?: string;
}

interface OurReport {
  readonly sbom: { readonly components: readonly OurComponent[] };
  readonly findings: readonly {
    readonly component: string;
    readonly evidence: readonly { readonly advisory: string; readonly package: string }[];
  }[];
  readonly notEvaluated: readonly { readonly component: string; readonly reason: string }[];
}

interface OsvReport {
  readonly results: readonly {
    readonly packages: readonly {
      readonly package: {
        readonly name: string;
        readonly version: string;
        readonly ecosystem: string;
        /** Of the binary package, where the name is its source's. */
        readonly os_package_name?: string;
      };
      readonly vulnerabilities?: readonly { readonly id: string }[];
    }[];
  }[];
}

const key = (record: string, name: string, version: string): string =>
  `${record} ${name.toLowerCase().replaceAll("_", "-")} ${version.replace(/^v/, "")}`;

function ours(source: string): { found: Set<string>; notEvaluated: readonly string[] } {
  const output = join(scratch, "ours.json");
  const words = [main, "scan", source, "--format", "json", "--output", output];
  const env = { ...process.env, TOUCHMARK_HOME: home };
  const ended = spawnSync(process.execPath, words, { env, encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`scan ended with ${ended.status}: ${ended.stderr}`);
  const report = JSON.parse(readFileSync(output, "utf8")) as OurReport;
  const components = new Map(report.sbom.components.map((each) => [each.ref, each]));
  const found = report.findings.flatMap(({ component, evidence }) =>
    evidence.map((each) => {
      const about = components.get(component);
      // System packages are named by themselves, not by their source.
      const name = component.startsWith("pkg:deb/") ? (about?.name ?? "") : each.package;
      return key(each.advisory, name, about?.version ?? "");
    }),
  );
  return {
    found: new Set(found),
    notEvaluated: report.notEvaluated.map((each) => `${each.component}: ${each.reason}`),
  };
}

/** osv-scanner reads images as archives of docker. */
function theirSource(input: string, isImage: boolean): readonly string[] {
  if (!isImage) return ["source", "-r", input];
  const archive = join(scratch, "image.tar");
  const ended = spawnSync("skopeo", ["copy", "-q", `oci:${input}:latest`, `docker-archive:${archive}:image:latest`]);
  if (ended.status !== 0) throw new Error("skopeo cannot copy the image");
  return ["image", "--archive", archive];
}

function theirs(source: readonly string[]): Set<string> {
  const output = join(scratch, "theirs.json");
  rmSync(output, { force: true });
  const place = ["--offline", "--local-db-path", advisories, "--format", "json", "--output-file", output];
  const ended = spawnSync(osvScanner as string, ["scan", ...source, ...place], { encoding: "utf8" });
  // 1 says that something was found.
  if (ended.status !== 0 && ended.status !== 1) process.stderr.write(`osv-scanner ended with ${ended.status}\n`);
  if (!existsSync(output)) return new Set();
  const report = JSON.parse(readFileSync(output, "utf8")) as OsvReport;
  return new Set(
    report.results.flatMap(({ packages }) =>
      packages.flatMap(({ package: each, vulnerabilities }) =>
        (vulnerabilities ?? []).map(({ id }) => key(id, each.os_package_name ?? each.name, each.version)),
      ),
    ),
  );
}

makeHome(home, advisories, [process.execPath, main]);
process.stdout.write(
  "| Input | touchmark | osv-scanner | only ours | only theirs | not evaluated, with the reason |\n",
);
process.stdout.write("| --- | --- | --- | --- | --- | --- |\n");
for (const name of ["npm", "pnpm", "yarn", "uv", "cargo", "gomod", "maven", "rootfs", "oci"]) {
  const input = join(inputs, name);
  if (!existsSync(input)) continue;
  const isImage = name === "oci";
  const { found, notEvaluated } = ours(`${isImage ? "oci-dir" : "dir"}:${input}`);
  const other = theirs(theirSource(input, isImage));
  const more = [...found].filter((each) => !other.has(each));
  const fewer = [...other].filter((each) => !found.has(each));
  for (const each of [
    ...more.slice(0, 5).map((words) => `+ ${words}`),
    ...fewer.slice(0, 5).map((words) => `- ${words}`),
  ]) {
    process.stderr.write(`${name} ${each}\n`);
  }
  for (const each of notEvaluated.slice(0, 5)) process.stderr.write(`${name} not evaluated ${each}\n`);
  process.stdout.write(
    `| ${name} | ${found.size} | ${other.size} | ${more.length} | ${fewer.length} | ${notEvaluated.length} |\n`,
  );
}
