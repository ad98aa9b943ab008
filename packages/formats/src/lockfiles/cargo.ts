import { cargoPackageUrl, gitPackageUrl } from "../package-url-ecosystems.ts";
import { gitAddress, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { hexDigest } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { markUnasked } from "./graph.ts";
import type { LockedFrom, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { list, type Members, members, optionalMembers, optionalText, shown, text, texts } from "./shape.ts";
import { companionText } from "./text.ts";
import { readToml } from "./toml-reader.ts";

interface Crate {
  readonly entry: Members;
  readonly draft: Draft;
  readonly source: string | undefined;
}

/** Reads Cargo.lock, versions 3 and 4. */
export function readCargoLock(file: LockfileText): Lockfile {
  const document = readToml(file.text, file.name);
  const { version } = document;
  if (version !== 3 && version !== 4) {
    throw lockfileErrors.make("LOCKFILE_VERSION", `version: expected 3 or 4, found ${shown(version)}`, {
      hint: "Run `cargo update --workspace` with Cargo 1.53 or newer.",
    });
  }
  const crates = list(document["package"], "package").map((value) => readCrate(members(value, "package")));
  checkCount(crates.length);
  const byName = new Map<string, Crate[]>();
  for (const crate of crates) byName.set(crate.draft.name, [...(byName.get(crate.draft.name) ?? []), crate]);
  for (const { entry, draft } of crates) {
    draft.dependencies = texts(entry["dependencies"], draft.key).map((wanted) => resolve(wanted, byName, draft.key));
  }
  const packages = crates.map(({ draft }) => draft);
  const local = packages.filter(({ from }) => from.kind === "local");
  const direct = new Set(local.flatMap(({ dependencies }) => dependencies));
  for (const draft of packages) draft.direct = direct.has(draft.key);
  markUnasked(local);
  const unasked = local.filter(({ key }) => !direct.has(key));
  const root = rootOf(file, local, unasked);
  return assemble({
    format: `cargo-lock-${version}`,
    ecosystem: "cargo",
    path: file.path,
    ...(root !== undefined && { root }),
    packages,
    limits: [
      "Cargo.lock does not tell development and build dependencies, features and target platforms apart",
      "Cargo.lock does not say where local packages lie, nor which crates have build scripts",
    ],
  });
}

/** The package of the Cargo.toml beside it, else the only local one that no other needs. */
function rootOf(file: LockfileText, local: readonly Draft[], unasked: readonly Draft[]): Lockfile["root"] {
  const manifest = companionText(file, "Cargo.toml");
  const stated =
    manifest === undefined ? {} : optionalMembers(readToml(manifest, "Cargo.toml")["package"], "Cargo.toml");
  const name = optionalText(stated["name"], "Cargo.toml");
  const root = name === undefined ? unasked : local.filter((one) => one.name === name);
  return root.length === 1 && root[0] !== undefined ? { name: root[0].name, version: root[0].version } : undefined;
}

function readCrate(entry: Members): Crate {
  const name = checkName("cargo", text(entry["name"], "package.name"), "package");
  const version = checkVersion("cargo", text(entry["version"], name), name);
  const source = optionalText(entry["source"], name);
  const checksum = optionalText(entry["checksum"], name);
  const from = originOf(source, name);
  const key = source === undefined ? `${name} ${version}` : `${name} ${version} (${source})`;
  if (from.kind === "registry" && checksum === undefined) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${key}: expected a checksum, found none`);
  }
  const purl = from.kind === "git" ? gitPackageUrl(from.url, from.commit, name) : cargoPackageUrl(name, version);
  return {
    entry,
    source,
    draft: {
      key,
      ecosystem: "cargo",
      name,
      version,
      ...(from.kind !== "local" && { purl }),
      from,
      digests: checksum === undefined ? [] : [hexDigest("sha256", checksum, key)],
      scope: "runtime",
      dependencies: [],
      direct: false,
    },
  };
}

function originOf(source: string | undefined, where: string): LockedFrom {
  if (source === undefined) return { kind: "local", path: "." };
  const [, kind, address = ""] = /^(registry|sparse|git)\+(.*)$/s.exec(source) ?? [];
  if (kind === "git") {
    const hash = address.lastIndexOf("#");
    return gitAddress(address.slice(0, Math.max(hash, 0)).replace(/\?.*$/, ""), address.slice(hash + 1), where);
  }
  if (kind === undefined) {
    throw lockfileErrors.make(
      "LOCKFILE_ADDRESS",
      `${where}: expected a source registry+, sparse+ or git+, found ${shown(source)}`,
    );
  }
  return { kind: "registry", index: webAddress(address, where).url };
}

/** `name`, `name version` or `name version (source)`: as much as it takes to be unambiguous. */
function resolve(wanted: string, byName: ReadonlyMap<string, readonly Crate[]>, where: string): string {
  const [, name = "", version, source] = /^(\S+)(?: (\S+)(?: \((.*)\))?)?$/.exec(wanted) ?? [];
  const found = (byName.get(name) ?? []).filter(
    (crate) =>
      (version === undefined || crate.draft.version === version) &&
      (source === undefined || crate.source === source || crate.source?.replace(/#[^#]*$/, "") === source),
  );
  const [only] = found;
  if (found.length !== 1 || only === undefined) {
    const problem = found.length === 0 ? "is not locked" : `is one of ${found.length} that are locked`;
    throw lockfileErrors.make("LOCKFILE_EDGE", `${where} depends on ${shown(wanted)}, which ${problem}`);
  }
  return only.draft.key;
}
