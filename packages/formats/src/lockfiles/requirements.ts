import { genericPackageUrl, gitPackageUrl, pypiPackageUrl } from "../package-url-ecosystems.ts";
import { pypiName } from "../package-url-types.ts";
import { gitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { prefixedDigest } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import type { AnnouncedDigest, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { type RequirementLine, requirementLines } from "./requirement-lines.ts";
import { shown } from "./shape.ts";
import { describeLoosely, orElse, refuse } from "./tolerance.ts";

const nameSyntax = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)$/s;

const longestRequirement = 4096;

/** Reads requirements.txt with hashes, as pip installs it with `--require-hashes`. */
export function readRequirements(file: LockfileText): Lockfile {
  const { lines, ignored } = requirementLines(file);
  const drafts = new Map<string, Draft & { via: Set<string> }>();
  for (const line of lines) {
    checkCount(drafts.size);
    const draft = orElse(
      file,
      () => draftOf(line),
      () => looseDraftOf(line),
    );
    if (draft === undefined) continue;
    const other = drafts.get(draft.key);
    if (other !== undefined && !isSame(other, draft)) {
      const message = `${line.where}: ${draft.key} stands twice with different hashes`;
      refuse(file, lockfileErrors.make("LOCKFILE_DUPLICATE", message));
    }
    const via = new Set([...(other?.via ?? []), ...line.via]);
    drafts.set(draft.key, { ...draft, via });
  }
  const annotated = [...drafts.values()].some(({ via }) => via.size > 0);
  const packages = link([...drafts.values()], annotated);
  const limits = [
    annotated
      ? "dependency edges are those of the comments that its client wrote"
      : "requirements say no dependency edges; every package counts as wanted by the project",
    "hashes are given without names of files",
  ];
  if (ignored.size > 0) limits.push(`options of the file are not used: ${[...ignored].sort().join(", ")}`);
  return assemble({ format: "requirements-1", ecosystem: "pypi", path: file.path, packages, limits }, file);
}

/** A requirement without digests, or of no one version: its name, what is said of the version, and where it comes from. */
function looseDraftOf(line: RequirementLine): Draft | undefined {
  const bare = line.text.replace(/\s--[a-z-]+(?:=|\s+)\S+/g, "").trim();
  const [target, marker] = takeMarker(bare);
  const egg = /[#&]egg=([A-Za-z0-9._-]+)/.exec(target)?.[1];
  const [, name = "", specifier = ""] = nameSyntax.exec(egg ?? target) ?? [];
  const [, address] = /^\s*@\s*(\S+)/.exec(specifier) ?? [];
  if (/^-|:\/\//.test(name === "" ? target : name) || (/[/\\]/.test(specifier) && address === undefined))
    return undefined;
  const version = /^\(?\s*={2,3}\s*([^\s,;*()]+)\s*\)?$/.exec(specifier.trim())?.[1];
  const found = describeLoosely({ ecosystem: "pypi", name: pypiName(name), version: version ?? "", address });
  if (found === undefined) return undefined;
  const wanted = version === undefined && address === undefined ? specifier.trim().slice(0, 200) : "";
  return {
    ...found,
    ...common(),
    key:
      version === undefined
        ? `${found.name} ${specifier.trim()} ${marker ?? ""}`.trim()
        : keyOf(found.name, version, marker),
    ...(wanted !== "" && { wanted }),
    ...(marker !== undefined && { platform: { marker } }),
  };
}

function draftOf(line: RequirementLine): Draft {
  const { where } = line;
  const [whole, hashes] = takeHashes(line.text, where);
  const editable = /^(?:-e|--editable)(?:\s+|=)(.+)$/.exec(whole)?.[1];
  const [target, marker] = takeMarker(editable ?? whole);
  const platform: Pick<Draft, "platform"> = marker === undefined ? {} : { platform: { marker } };
  const base = { ...common(), ...platform };
  const [, named, reference] = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*@\s*(\S.*)$/s.exec(target) ?? [];
  const address = reference ?? (editable !== undefined || isAddress(target) ? target : undefined);
  if (address !== undefined) return { ...base, ...addressed(address, named, hashes, where) };
  const [, name = "", specifier = ""] = nameSyntax.exec(target) ?? [];
  checkName("pypi", name === "" ? target : name, where);
  if (hashes.length === 0) throw noDigest(where, name);
  const pinned = /^\(?\s*={2,3}\s*([^\s,;*()]+)\s*\)?$/.exec(specifier.trim())?.[1];
  if (pinned === undefined) {
    throw lockfileErrors.make("LOCKFILE_UNPINNED", `${where}: expected ${name}==VERSION, found ${shown(target)}`);
  }
  const version = checkVersion("pypi", pinned, where);
  return {
    ...base,
    key: keyOf(pypiName(name), version, marker),
    name: pypiName(name),
    version,
    purl: pypiPackageUrl(name, version),
    from: { kind: "registry" },
    digests: [],
    files: hashes.map((digest) => ({ name: "", digests: [digest] })),
  };
}

function common(): Pick<Draft, "ecosystem" | "scope" | "dependencies" | "direct"> {
  return { ecosystem: "pypi", scope: "runtime", dependencies: [], direct: true };
}

function addressed(address: string, named: string | undefined, hashes: readonly AnnouncedDigest[], where: string) {
  const [bare = "", fragment = ""] = address.trim().split("#", 2);
  const egg = named ?? new URLSearchParams(fragment).get("egg")?.replace(/\[.*$/, "");
  if (/^(?:hg|svn|bzr)\+/.test(bare)) {
    throw lockfileErrors.make("LOCKFILE_ADDRESS", `${where}: expected a git repository, found ${shown(bare)}`);
  }
  if (bare.startsWith("git+")) {
    const at = bare.lastIndexOf("@");
    const commit = at > bare.indexOf("://") + 2 ? bare.slice(at + 1) : "";
    const from = gitAddress(commit === "" ? bare : bare.slice(0, at), commit, where);
    const name = pythonName(egg ?? /([^/]+?)(?:\.git)?\/*$/.exec(from.url)?.[1], where);
    return {
      key: `${name} @ ${from.commit}`,
      name,
      version: "",
      purl: gitPackageUrl(from.url, from.commit, name),
      from,
      digests: [],
    };
  }
  if (/^https?:/.test(bare)) {
    const { url } = webAddress(bare, where);
    const inFragment = /^(?:md5|sha1|sha256|sha384|sha512)=[0-9a-fA-F]+/.exec(fragment)?.[0].replace("=", ":");
    const digests = inFragment === undefined ? hashes : [...hashes, prefixedDigest(inFragment, where)];
    const file = decodeURIComponentSafely(url.replace(/^.*\//, "").replace(/\?.*$/, ""));
    const [, stem = "", version = ""] =
      /^([A-Za-z0-9][A-Za-z0-9._]*?)-([0-9][^-]*?)(?:-.*\.whl|\.tar\.gz|\.zip|\.tar\.bz2)$/.exec(file) ?? [];
    const name = pythonName(egg ?? stem, where);
    if (digests.length === 0) throw noDigest(where, name);
    const files = digests.map((digest) => ({ name: file, digests: [digest], url }));
    const many = new Set(digests.map(({ algorithm }) => algorithm)).size < digests.length;
    return {
      key: `${name} @ ${url}`,
      name,
      version: version === "" ? "" : checkVersion("pypi", version, where),
      purl: genericPackageUrl(name, { ...(version !== "" && { version }), url }),
      from: { kind: "url", url } as const,
      digests: many ? [] : digests,
      ...(many && { files }),
    };
  }
  const path = localPath(bare.replace(/^file:(?:\/\/)?(?=\.)/, "").replace(/\[.*\]$/, ""), where);
  const name = egg === undefined ? path.replace(/^.*\//, "") : pythonName(egg, where);
  return { key: `${name} @ ${path}`, name, version: "", from: { kind: "local", path } as const, digests: hashes };
}

function pythonName(name: string | undefined, where: string): string {
  return pypiName(checkName("pypi", name ?? "", where));
}

function takeHashes(text: string, where: string): [string, readonly AnnouncedDigest[]] {
  const hashes: AnnouncedDigest[] = [];
  const rest = text.replace(/\s--hash(?:=|\s+)(\S+)/g, (_, written: string) => {
    hashes.push(prefixedDigest(written, where));
    return "";
  });
  const bare = rest.replace(/\s--(?:config-settings?|global-option)(?:=|\s+)(?:"[^"]*"|'[^']*'|\S+)/g, "").trim();
  if (bare.length > longestRequirement) {
    throw lockfileErrors.make(
      "LOCKFILE_MALFORMED",
      `${where}: expected at most ${longestRequirement} characters beside the hashes, found ${bare.length}`,
    );
  }
  if (/\s--/.test(bare)) {
    throw lockfileErrors.make(
      "LOCKFILE_MALFORMED",
      `${where}: expected options of a requirement, found ${shown(bare)}`,
    );
  }
  return [bare, hashes];
}

/** In a URL the semicolon of a marker needs a space before it (PEP 508). */
function takeMarker(text: string): [string, string | undefined] {
  const isUrl = isAddress(text) || /^[A-Za-z0-9._-]+\s*(?:\[[^\]]*\])?\s*@/.test(text);
  const at = text.search(isUrl ? /\s;/ : /;/);
  return at < 0 ? [text, undefined] : [text.slice(0, at).trim(), text.slice(at).replace(/^\s*;\s*/, "")];
}

function isAddress(text: string): boolean {
  return /^(?:[a-z]+\+[a-z]+:|https?:|file:|\.{1,2}(?:\/|$)|\/)/.test(text) || /^[^\s;=<>!~@]+\/[^\s;]*$/.test(text);
}

function keyOf(name: string, version: string, marker: string | undefined): string {
  return marker === undefined ? `${name}==${version}` : `${name}==${version} ; ${marker}`;
}

function isSame(one: Draft, other: Draft): boolean {
  const hashes = (draft: Draft) =>
    (draft.files ?? [])
      .flatMap((file) => file.digests.map(({ value }) => value))
      .sort()
      .join();
  return hashes(one) === hashes(other);
}

function link(drafts: readonly (Draft & { via: Set<string> })[], annotated: boolean): Draft[] {
  const byName = new Map<string, string[]>();
  for (const { name, key } of drafts) {
    const keys = byName.get(name);
    if (keys === undefined) byName.set(name, [key]);
    else keys.push(key);
  }
  const wanted = new Map<string, string[]>();
  const direct = new Set<string>();
  for (const { key, via } of drafts) {
    for (const who of via) {
      const keys = byName.get(pypiName(who.replace(/\[.*$/, ""))) ?? [];
      // A file or the project itself: `-r requirements.in`, `shop (pyproject.toml)`.
      if (keys.length === 0 || /[\s/]/.test(who)) direct.add(key);
      else for (const from of keys) wanted.set(from, [...(wanted.get(from) ?? []), key]);
    }
    if (via.size === 0) direct.add(key);
  }
  return drafts.map(({ via: _, ...draft }) => ({
    ...draft,
    dependencies: wanted.get(draft.key) ?? [],
    direct: !annotated || direct.has(draft.key),
  }));
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function noDigest(where: string, name: string) {
  return lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${where}: expected --hash=sha256:… for ${name}, found none`, {
    hint: "Lock with `pip-compile --generate-hashes`, `uv export` or `pip lock`.",
  });
}
