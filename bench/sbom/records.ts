import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type ZipMember, zipArchive, zipMembers } from "./zip-archive.ts";

/** How many records of each ecosystem, 50,000 in all. */
const shares = { npm: 15_000, PyPI: 9000, Go: 6000, "crates.io": 3000, Maven: 7000, "Debian:12": 10_000 } as const;
type Ecosystem = keyof typeof shares;

/** Numbers that are the same each time: SHA-512 of a counter. */
class Draws {
  #counter = 0;

  below(limit: number): number {
    const digest = createHash("sha256")
      .update(`touchmark bench ${this.#counter++}`)
      .digest();
    return digest.readUInt32BE(0) % limit;
  }

  of<Each>(values: readonly Each[]): Each {
    return values[this.below(values.length)] as Each;
  }
}

/**
 * Writes 50,000 invented OSV records as `osv-scalibr/ECOSYSTEM/all.zip`, where osv-scanner looks for them, and the zips
 * of all ecosystems are what `touchmark advisories import --kind osv` reads. A fifth name packages of the inputs beside,
 * so that there is something to find; the same inputs give the same records.
 */
export function writeRecords(inputs: string, to: string): void {
  const draws = new Draws();
  const names = namesOf(inputs);
  let count = 0;
  for (const [ecosystem, share] of Object.entries(shares) as [Ecosystem, number][]) {
    const members: ZipMember[] = [];
    for (let i = 0; i < share; i++) {
      count++;
      const real = names[ecosystem].length > 0 && draws.below(5) === 0;
      const name = real ? draws.of(names[ecosystem]) : invented(ecosystem, draws);
      const record = recordOf(ecosystem, name, count, draws);
      const content = Buffer.from(JSON.stringify(record));
      members.push({ name: `${record.id}.json`, content, packed: deflateRawSync(content) });
    }
    const directory = join(to, "osv-scalibr", ecosystem.split(":")[0] ?? ecosystem);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "all.zip"), zipArchive(members));
  }
}

function recordOf(ecosystem: Ecosystem, name: string, number: number, draws: Draws) {
  const year = 2015 + (number % 11);
  const ranges = Array.from({ length: draws.of([1, 1, 1, 2, 3]) }, () => {
    const [low, high] = [version(ecosystem, draws), version(ecosystem, draws)].sort(byNumbers);
    const first = { introduced: low === high || draws.below(2) === 0 ? "0" : low };
    return [first, draws.below(20) < 17 ? { fixed: high } : { last_affected: high }];
  });
  const type = ["npm", "Go", "crates.io"].includes(ecosystem) ? "SEMVER" : "ECOSYSTEM";
  const listed = ecosystem === "PyPI" || ecosystem === "Maven" ? draws.below(20) : 0;
  const words = ["input", "parser", "memory", "header", "path", "token", "remote", "crafted", "denial", "service"];
  const impact = (): string => draws.of(["N", "L", "H"]);
  return {
    schema_version: "1.6.7",
    id: `BENCH-${year}-${String(number).padStart(6, "0")}`,
    modified: "2026-01-01T00:00:00Z",
    published: "2025-01-01T00:00:00Z",
    aliases: draws.below(10) < 7 ? [`CVE-${year}-${900_000 + number}`] : [],
    summary: `Invented flaw ${number} in ${name}`,
    details: Array.from({ length: 30 + draws.below(120) }, () => draws.of(words)).join(" "),
    severity: [
      {
        type: "CVSS_V3",
        score: `CVSS:3.1/AV:${draws.of(["N", "A", "L"])}/AC:L/PR:N/UI:N/S:U/C:${impact()}/I:${impact()}/A:L`,
      },
    ],
    affected: [
      {
        package: { ecosystem, name },
        ranges: ranges.map((events) => ({ type, events })),
        versions: Array.from({ length: listed }, () => version(ecosystem, draws)),
      },
    ],
    references: [{ type: "ADVISORY", url: `https://advisories.example/${number}` }],
  };
}

function version(ecosystem: Ecosystem, draws: Draws): string {
  const plain = `${draws.below(12)}.${draws.below(30)}.${draws.below(20)}`;
  return ecosystem === "Debian:12" ? `${plain}-${1 + draws.below(4)}+deb12u${1 + draws.below(3)}` : plain;
}

function byNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map((each) => each.split(/\D+/).map(Number));
  for (let i = 0; i < 5; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function invented(ecosystem: Ecosystem, draws: Draws): string {
  const [group, name] = [draws.below(900), draws.below(9)];
  if (ecosystem === "Go") return `bench.example/group${group}/module${name}`;
  return ecosystem === "Maven" ? `example.group${group}:artifact${name}` : `invented${group}-package${name}`;
}

/** Names of packages that the inputs have, in order. */
function namesOf(inputs: string): Readonly<Record<Ecosystem, readonly string[]>> {
  const read = (path: string): string =>
    existsSync(join(inputs, path)) ? readFileSync(join(inputs, path), "utf8") : "";
  const all = (text: string, pattern: RegExp): string[] =>
    [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ""))].sort();
  const lock = read("npm/package-lock.json");
  const packages = lock === "" ? {} : (JSON.parse(lock) as { readonly packages: object }).packages;
  const npm = Object.keys(packages).filter((path) => path !== "");
  const named = /^name = "([^"]+)"/gm;
  return {
    npm: [...new Set(npm.map((path) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)))].sort(),
    PyPI: all(`${read("uv/uv.lock")}\n${read("poetry/poetry.lock")}`, named),
    "crates.io": all(read("cargo/Cargo.lock"), named),
    Go: all(read("gomod/go.sum"), /^(\S+) v/gm),
    Maven: [
      ...["org.apache.logging.log4j:log4j-core", "commons-io:commons-io", "org.yaml:snakeyaml", "junit:junit"],
      ...["com.fasterxml.jackson.core:jackson-databind", "org.springframework:spring-core"],
    ],
    "Debian:12": all(sourcesOf(read("rootfs/var/lib/dpkg/status")), /^(\S+)/gm),
  };
}

/** The source package of every installed one, one a line. */
function sourcesOf(status: string): string {
  return status
    .split("\n\n")
    .map((stanza) => (/^Source: (\S+)/m.exec(stanza) ?? /^Package: (\S+)/m.exec(stanza))?.[1] ?? "")
    .filter((name) => name !== "")
    .join("\n");
}

/** Copies a zip of records in which the first ones, about real packages and others alike, have another upper bound. */
export function changeRecords(from: string, to: string, changes: number): void {
  const members = zipMembers(readFileSync(from));
  const step = Math.max(1, Math.floor(members.length / changes));
  const made = members.map((member, i): ZipMember => {
    if (i % step !== 0 || i / step >= changes) return member;
    const record = JSON.parse(inflateRawSync(member.packed).toString("utf8"));
    for (const { ranges } of record.affected)
      ranges.push({ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "3.0.1" }] });
    const content = Buffer.from(JSON.stringify({ ...record, modified: "2026-01-02T00:00:00Z" }));
    return { name: member.name, content, packed: deflateRawSync(content) };
  });
  writeFileSync(to, zipArchive(made));
}
