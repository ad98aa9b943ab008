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
import { orElse, refuse } from "./tolerance.ts";
import { readToml } from "./toml-reader.ts";

interface Crate {
  readonly entry: Members;
  readonly draft: Draft;
  readonly source: string | undefined;
}

/** More crates of one name than any project has. */
const mostOfOneName = 1000;

/** Reads Cargo.lock, versions 3 and 4; older ones where losses are tolerated. */
export function readCargoLock(file: LockfileText): Lockfile {
  const document = readToml(file.text, file.name);
  const version = versionOf(document, file);
  const entries = [...list(document["package"], "package"), ...oldRoot(document)];
  const sums = version === 1 ? optionalMembers(document["metadata"], "metadata") : {};
  checkCount(entries.length);
  const crates = entries.flatMap((value): Crate[] =>
    orElse(
      file,
      () => [readCrate(members(value, "package"), sums, file)],
      () => [],
    ),
  );
  const byName = new Map<string, Crate[]>();
  for (const crate of crates) {
    const same = byName.get(crate.draft.name);
    if (same === undefined) byName.set(crate.draft.name, [crate]);
    else same.push(crate);
  }
  for (const { entry, draft } of crates) {
    const wanted = orElse(
      file,
      () => texts(entry["dependencies"], draft.key),
      () => [],
    );
    draft.dependencies = wanted.flatMap((one) =>
      orElse<string[]>(
        file,
        () => [resolve(one, byName, draft.key)],
        () => [],
      ),
    );
  }
  const packages = crates.map(({ draft }) => draft);
  const local = packages.filter(({ from }) => from.kind === "local");
  const direct = new Set(local.flatMap(({ dependencies }) => dependencies));
  for (const draft of packages) draft.direct = direct.has(draft.key);
  markUnasked(local);
  const unasked = local.filter(({ key }) => !direct.has(key));
  const root = rootOf(file, local, unasked);
  const limits = [
    "Cargo.lock does not tell development and build dependencies, features and target platforms apart",
    "Cargo.lock does not say where local packages lie, nor which crates have build scripts",
  ];
  const format = `cargo-lock-${version}`;
  return assemble(
    { format, ecosystem: "cargo", path: file.path, ...(root !== undefined && { root }), packages, limits },
    file,
  );
}

/** Cargo writes its version since 3; the second has checksums in the packages, the first beside them. */
function versionOf(document: Members, file: LockfileText): number {
  const { version } = document;
  if (version === 3 || version === 4) return version;
  const refusal = lockfileErrors.make("LOCKFILE_VERSION", `version: expected 3 or 4, found ${shown(version)}`, {
    hint: "Run `cargo update --workspace` with Cargo 1.53 or newer.",
  });
  if (version !== undefined || file.tolerate === undefined) throw refusal;
  return document["metadata"] === undefined ? 2 : 1;
}

/** Before packages had their place in the list, the project stood in a table of its own. */
function oldRoot(document: Members): readonly unknown[] {
  return document["root"] === undefined || document["version"] !== undefined ? [] : [document["root"]];
}

/** The package of the Cargo.toml beside it, else the only local one that no other needs. */
function rootOf(file: LockfileText, local: readonly Draft[], unasked: readonly Draft[]): Lockfile["root"] {
  const manifest = companionText(file, "Cargo.toml");
  const name = orElse(
    file,
    () =>
      manifest === undefined
        ? undefined
        : optionalText(
            optionalMembers(readToml(manifest, "Cargo.toml")["package"], "Cargo.toml")["name"],
            "Cargo.toml",
          ),
    () => undefined,
  );
  const root = name === undefined ? unasked : local.filter((one) => one.name === name);
  return root.length === 1 && root[0] !== undefined ? { name: root[0].name, version: root[0].version } : undefined;
}

function readCrate(entry: Members, sums: Members, file: LockfileText): Crate {
  const name = checkName("cargo", text(entry["name"], "package.name"), "package");
  const version = checkVersion("cargo", text(entry["version"], name), name);
  const source = optionalText(entry["source"], name);
  const key = source === undefined ? `${name} ${version}` : `${name} ${version} (${source})`;
  const beside = sums[`checksum ${key}`];
  const checksum = optionalText(entry["checksum"] ?? (beside === "<none>" ? undefined : beside), name);
  const from = originOf(source, name);
  if (from.kind === "registry" && checksum === undefined) {
    refuse(file, lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${key}: expected a checksum, found none`));
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
      digests:
        checksum === undefined
          ? []
          : orElse(
              file,
              () => [hexDigest("sha256", checksum, key)],
              () => [],
            ),
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
  const same = byName.get(name) ?? [];
  if (same.length > mostOfOneName) {
    throw lockfileErrors.make("LOCKFILE_EDGE", `${where}: expected at most ${mostOfOneName} crates of one name`);
  }
  const found = same.filter(
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
