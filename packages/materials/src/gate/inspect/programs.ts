import { parseJson } from "@touchmark/core";

/** What a package says of itself, as far as its archive tells. */
export interface Telling {
  readonly installScripts: readonly string[];
  readonly licence?: string;
}

type Files = ReadonlyMap<string, Uint8Array>;

/** Lifecycle scripts that npm and its relatives run while they install. */
const lifecycle = ["preinstall", "install", "postinstall", "prepare"] as const;

/** Install-time programs and the declared licence, from the few files that tell them. */
export function readTelling(fileName: string, captured: Files, names: Iterable<string>): Telling {
  const programs: string[] = [];
  let licence: string | undefined;
  const root = (name: string) => [...captured].find(([path]) => depth(path) === 2 && path.endsWith(`/${name}`))?.[1];
  const isCrate = fileName.endsWith(".crate");
  const isWheel = fileName.endsWith(".whl");
  const manifest = root("package.json");
  if (manifest && !isCrate && !isWheel) {
    const found = npmTelling(manifest, root("binding.gyp") !== undefined);
    programs.push(...found.installScripts);
    licence ??= found.licence;
  }
  if (isCrate) {
    const found = crateTelling(text(root("Cargo.toml")), root("build.rs") !== undefined);
    programs.push(...found.installScripts);
    licence ??= found.licence;
  } else if (isWheel) {
    // A .pth file beside the packages runs code whenever Python starts.
    for (const name of names) if (/^(?:[^/]+\.data\/(?:purelib|platlib)\/)?[^/]+\.pth$/.test(name)) programs.push(name);
    const metadata = [...captured].find(([path]) => /^[^/]+\.dist-info\/METADATA$/.test(path))?.[1];
    licence ??= metadataLicence(text(metadata));
  } else if (root("PKG-INFO") || root("setup.py") || root("pyproject.toml")) {
    if (root("setup.py")) programs.push("setup.py");
    const backend = /^\s*build-backend\s*=\s*["']([^"'\n]{1,200})["']/m.exec(text(root("pyproject.toml")))?.[1];
    if (backend !== undefined) programs.push(`pyproject.toml build-backend ${backend}`);
    licence ??= metadataLicence(text(root("PKG-INFO")));
  }
  return { installScripts: programs, ...(licence === undefined ? {} : { licence }) };
}

function npmTelling(manifest: Uint8Array, hasGyp: boolean): Telling {
  let read: unknown;
  try {
    // npm takes a byte order mark; so does whoever wants to hide a script from this reader.
    read = parseJson(text(manifest).replace(/^\ufeff/, ""), { maxBytes: 2 ** 20 });
  } catch {
    return { installScripts: ["package.json that cannot be read strictly"] };
  }
  const { scripts, license } = (typeof read === "object" && read !== null ? read : {}) as {
    scripts?: unknown;
    license?: unknown;
  };
  const own = typeof scripts === "object" && scripts !== null ? (scripts as Record<string, unknown>) : {};
  const found = lifecycle.filter((name) => typeof own[name] === "string" && own[name] !== "");
  const programs = found.map((name) => `package.json scripts.${name}`);
  if (hasGyp && !found.includes("install") && !found.includes("preinstall")) programs.push("binding.gyp");
  const type = typeof license === "object" && license !== null ? (license as { type?: unknown }).type : license;
  return { installScripts: programs, ...(typeof type === "string" && type !== "" ? { licence: type } : {}) };
}

function crateTelling(manifest: string, hasBuild: boolean): Telling {
  const section = (name: string) =>
    new RegExp(`^\\[${name}\\][^\\n]*\\n((?:(?!^\\[)[^\\n]*\\n?)*)`, "m").exec(manifest)?.[1] ?? "";
  const about = section("package");
  const build = /^build\s*=\s*(?:"([^"\n]{1,200})"|(false))/m.exec(about);
  const programs: string[] = [];
  if (build?.[2] === undefined && (build?.[1] !== undefined || hasBuild)) programs.push(build?.[1] ?? "build.rs");
  if (/^proc[-_]macro\s*=\s*true/m.test(section("lib"))) programs.push("procedural macro");
  const licence = /^license\s*=\s*"([^"\n]{1,200})"/m.exec(about)?.[1];
  // Old crates write `MIT/Apache-2.0` where SPDX writes OR.
  return { installScripts: programs, ...(licence === undefined ? {} : { licence: licence.replace(/\//g, " OR ") }) };
}

function metadataLicence(metadata: string): string | undefined {
  const head = metadata.split(/\r?\n\r?\n/, 1)[0] ?? "";
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(\\S[^\\r\\n]{0,200})`, "m").exec(head)?.[1]?.trim();
  const found = field("License-Expression") ?? field("License");
  return found === "UNKNOWN" ? undefined : found;
}

const depth = (path: string) => path.split("/").length;
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? "" : new TextDecoder().decode(bytes));
