import { pypiPackageUrl } from "../package-url-ecosystems.ts";
import { pypiName } from "../package-url-types.ts";
import { gitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { prefixedDigest } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { readJson } from "./json-reader.ts";
import type { LockedFrom, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { type Members, members, optionalMembers, optionalText, shown, text, texts } from "./shape.ts";
import { companionText } from "./text.ts";
import { describeLoosely, looseMembers, orElse } from "./tolerance.ts";
import { readToml } from "./toml-reader.ts";

/** Reads Pipfile.lock, specification 6, with the Pipfile beside it. */
export function readPipfileLock(file: LockfileText): Lockfile {
  const document = members(readJson(file.text, file), file.name);
  const specification = optionalMembers(document["_meta"], "_meta")["pipfile-spec"];
  if (specification !== 6) {
    throw lockfileErrors.make("LOCKFILE_VERSION", `_meta.pipfile-spec: expected 6, found ${shown(specification)}`);
  }
  const asked = askedFor(file);
  const drafts = new Map<string, Draft>();
  for (const [group, value] of Object.entries(document)) {
    if (group === "_meta") continue;
    const scope = group === "default" ? "runtime" : "development";
    for (const [name, entry] of Object.entries(optionalMembers(value, group))) {
      checkCount(drafts.size);
      const found = orElse(
        file,
        () => readEntry(name, members(entry, name)),
        () => loosely(name, looseMembers(entry)),
      );
      // What both groups have is needed at run time: that one stands first.
      if (found === undefined || drafts.has(found.key)) continue;
      drafts.set(found.key, { ...found, scope, direct: asked?.has(found.name) ?? true });
    }
  }
  const limits = ["Pipfile.lock has no dependency edges"];
  if (asked === undefined) limits.push("without Pipfile, every package counts as wanted by the project");
  return assemble(
    { format: "pipfile-lock-6", ecosystem: "pypi", path: file.path, packages: [...drafts.values()], limits },
    file,
  );
}

function readEntry(written: string, entry: Members): Draft {
  const name = pypiName(checkName("pypi", written, "default"));
  const stated = optionalText(entry["version"], name)?.replace(/^={2,3}\s*/, "") ?? "";
  const version = stated === "" ? "" : checkVersion("pypi", stated, name);
  const from = origin(entry, name);
  const marker = optionalText(entry["markers"], name);
  const files = texts(entry["hashes"], name).map((hash) => ({ name: "", digests: [prefixedDigest(hash, name)] }));
  return {
    key: `${name} ${version}`.trim(),
    ecosystem: "pypi",
    name,
    version,
    ...(from.kind !== "local" && { purl: pypiPackageUrl(name, version === "" ? undefined : version) }),
    from,
    digests: [],
    ...(files.length > 0 && { files }),
    ...(marker !== undefined && { platform: { marker } }),
    scope: "runtime",
    dependencies: [],
    direct: false,
  };
}

function origin(entry: Members, where: string): LockedFrom {
  const git = optionalText(entry["git"], where);
  if (git !== undefined) return gitAddress(git, text(entry["ref"], where), where);
  const path = optionalText(entry["path"], where);
  if (path !== undefined) return { kind: "local", path: localPath(path, where) };
  const address = optionalText(entry["file"], where);
  if (address === undefined) return { kind: "registry" };
  if (!/^https?:/.test(address)) return { kind: "local", path: localPath(address, where) };
  return { kind: "url", url: webAddress(address, where).url };
}

/** Of an entry with something wrong in it, what is not. */
function loosely(name: string, entry: Members): Draft | undefined {
  const version = typeof entry["version"] === "string" ? entry["version"].replace(/^={2,3}\s*/, "") : "";
  const found = describeLoosely({ ecosystem: "pypi", name: pypiName(name), version });
  if (found === undefined) return undefined;
  const key = `${found.name} ${found.version}`.trim();
  return { ...found, key, ecosystem: "pypi", scope: "runtime", dependencies: [], direct: false };
}

function askedFor(file: LockfileText): ReadonlySet<string> | undefined {
  const content = companionText(file, "Pipfile");
  if (content === undefined) return undefined;
  const document = readToml(content, "Pipfile");
  const groups = Object.entries(document).filter(
    ([group]) => !["source", "requires", "pipenv", "scripts"].includes(group),
  );
  return new Set(groups.flatMap(([, group]) => Object.keys(looseMembers(group)).map(pypiName)));
}
