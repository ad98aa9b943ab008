import { pypiName } from "@touchmark/formats/package-url";

/** A requirement of a distribution (PEP 508). */
export interface PythonRequirement {
  /** Normalised. */
  readonly name: string;
  /** Normalised names of the extras asked for. */
  readonly extras: readonly string[];
  readonly marker?: string;
}

/** Reads one `Requires-Dist`; undefined for what begins with no name. */
export function readRequirement(text: string): PythonRequirement | undefined {
  const semicolon = text.indexOf(";");
  const isAddress = /^[^;]*@/.test(text);
  const at = isAddress ? text.search(/\s;/) : semicolon;
  const bare = (at < 0 ? text : text.slice(0, at)).slice(0, 4096);
  const marker =
    at < 0
      ? undefined
      : text
          .slice(at)
          .replace(/^\s*;\s*/, "")
          .slice(0, 4096);
  const [, name = "", extras = ""] =
    /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?/.exec(bare) ?? [];
  if (name === "" || name.length > 255) return undefined;
  return {
    name: pypiName(name),
    extras: extras
      .split(",")
      .map((extra) => pypiName(extra.trim()))
      .filter((extra) => extra !== ""),
    ...(marker !== undefined && marker !== "" && { marker }),
  };
}

/** Reads requires.txt of an egg-info: sections `[extra]`, `[:marker]` and `[extra:marker]`. */
export function readRequiresText(text: string): readonly PythonRequirement[] {
  const found: PythonRequirement[] = [];
  let condition: string | undefined;
  for (const raw of text.split(/\r?\n/).slice(0, 10_000)) {
    const line = raw.trim();
    const section = /^\[([^\]:]*)(?::(.*))?\]$/.exec(line);
    if (section !== null) {
      const [, extra = "", marker = ""] = section;
      const parts = [...(extra === "" ? [] : [`extra == "${extra}"`]), ...(marker === "" ? [] : [`(${marker})`])];
      condition = parts.length === 0 ? undefined : parts.join(" and ");
      continue;
    }
    const requirement = line === "" || line.startsWith("#") ? undefined : readRequirement(line);
    if (requirement !== undefined)
      found.push({ ...requirement, ...(condition !== undefined && { marker: condition }) });
  }
  return found;
}
