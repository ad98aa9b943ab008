import { golangPackageUrl } from "../package-url-ecosystems.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { base64Digest } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { type GoModule, readGoModule } from "./go-mod.ts";
import type { AnnouncedDigest, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { shown } from "./shape.ts";
import { companionText } from "./text.ts";

interface Sums {
  readonly path: string;
  readonly version: string;
  zip?: AnnouncedDigest;
  mod?: AnnouncedDigest;
}

/** Reads go.sum, or go.work.sum, with the go.mod beside it. */
export function readGoSum(file: LockfileText): Lockfile {
  const sums = readSums(file.text);
  const isWorkspace = file.name === "go.work.sum";
  const beside = isWorkspace ? undefined : companionText(file, "go.mod");
  const module = beside === undefined ? undefined : readGoModule(beside);
  const packages = [...sums.values()].map((sum) => draftOf(sum, module));
  if (module !== undefined) packages.push(...replacedByDirectories(module));
  if (module !== undefined) checkRequired(module, sums);
  const limits = [
    "go.sum and go.mod say no dependency edges",
    "go.sum keeps hashes of versions that the build list no longer has",
    "the Go toolchain that go.mod may ask for is not in go.sum",
  ];
  if (module === undefined)
    limits.push("without go.mod it is not known which modules are direct, replaced or excluded");
  return assemble({
    format: isWorkspace ? "go-work-sum-1" : "go-sum-1",
    ecosystem: "golang",
    path: file.path,
    ...(module !== undefined && { root: { name: module.module } }),
    packages,
    limits,
  });
}

function readSums(text: string): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.replace(/\r$/, "").split(" ");
    if (words.length === 1 && words[0] === "") continue;
    const where = `line ${index + 1}`;
    const [path = "", written = "", hash = ""] = words;
    if (words.length !== 3) {
      throw lockfileErrors.make("LOCKFILE_MALFORMED", `${where}: expected MODULE VERSION HASH, found ${shown(line)}`);
    }
    const isMod = written.endsWith("/go.mod");
    const version = checkVersion("golang", isMod ? written.slice(0, -7) : written, where);
    if (!hash.startsWith("h1:")) {
      throw lockfileErrors.make("LOCKFILE_DIGEST", `${where}: expected a hash h1:…, found ${shown(hash)}`);
    }
    const digest = base64Digest("h1", hash.slice(3), where);
    const key = `${checkName("golang", path, where)}@${version}`;
    checkCount(sums.size);
    const sum = sums.get(key) ?? { path, version };
    const part = isMod ? "mod" : "zip";
    if (sum[part] !== undefined && sum[part].value !== digest.value) {
      throw lockfileErrors.make("LOCKFILE_DUPLICATE", `${where}: ${key} has two different hashes`);
    }
    sum[part] = digest;
    sums.set(key, sum);
  }
  return sums;
}

function draftOf({ path, version, zip, mod }: Sums, module: GoModule | undefined): Draft {
  const replaced = module?.replace.find(({ to }) => to.path === path && to.version === version);
  const asked = replaced?.path ?? path;
  const required = module?.require.find(
    (one) => one.path === asked && (replaced !== undefined || one.version === version),
  );
  const files = [
    ...(zip === undefined ? [] : [{ name: `${version}.zip`, digests: [zip] }]),
    ...(mod === undefined ? [] : [{ name: `${version}.mod`, digests: [mod] }]),
  ];
  return {
    key: `${path}@${version}`,
    ecosystem: "golang",
    name: path,
    version,
    purl: golangPackageUrl(path, version),
    ...(replaced !== undefined && replaced.path !== path && { alias: replaced.path }),
    from: { kind: "registry" },
    digests: zip === undefined ? [] : [zip],
    files,
    scope: "runtime",
    dependencies: [],
    direct: required !== undefined && !required.indirect,
  };
}

/** Modules that lie in directories of the project. */
function replacedByDirectories(module: GoModule): Draft[] {
  return module.replace
    .filter(({ to }) => to.version === undefined)
    .map(({ path, version, to }) => {
      const required = module.require.find((one) => one.path === path);
      return {
        key: `${path}@${required?.version ?? version ?? ""} => ${to.path}`,
        ecosystem: "golang",
        name: path,
        version: required?.version ?? version ?? "",
        from: { kind: "local", path: to.path },
        digests: [],
        scope: "runtime",
        dependencies: [],
        direct: required !== undefined && !required.indirect,
      };
    });
}

/** What go.mod requires has a hash, of its go.mod at least: Go itself refuses to build without. */
function checkRequired(module: GoModule, sums: ReadonlyMap<string, Sums>): void {
  for (const { path, version } of module.require) {
    const replaced = module.replace.find((one) => one.path === path && (one.version ?? version) === version);
    const wanted = replaced?.to ?? { path, version };
    if (wanted.version !== undefined && !sums.has(`${wanted.path}@${wanted.version}`)) {
      throw lockfileErrors.make(
        "LOCKFILE_DIGEST_MISSING",
        `go.mod requires ${wanted.path} ${wanted.version}, for which go.sum has no hash`,
        { hint: "Run `go mod tidy`." },
      );
    }
  }
}
