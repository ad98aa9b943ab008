/** A package of Alpine's installed database (apk-tools, `lib/apk/db/installed`). */
export interface ApkPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Name of the package that it was built with; its own name where none is written. */
  readonly origin: string;
  readonly licence?: string;
  readonly maintainer?: string;
  readonly homepage?: string;
  readonly description?: string;
  /** SHA-1 of the package's control segment, in hex; what apk identifies it by. */
  readonly identity?: string;
  /** Names of what it needs: packages, `so:`, `cmd:`, `pc:` names and paths; without versions and conflicts. */
  readonly dependencies: readonly string[];
  /** Names that it provides beside its own. */
  readonly provides: readonly string[];
  readonly files: readonly string[];
  /** Line of its first field, from 1. */
  readonly line: number;
}

/** What was read of a database. */
export interface ApkDatabase {
  readonly packages: readonly ApkPackage[];
  /** What could not be read, in words. */
  readonly faults: readonly string[];
}

const mostFaults = 20;

/** Reads the database: `K:value` lines, packages apart by empty lines. */
export function readApkDatabase(text: string): ApkDatabase {
  const packages: ApkPackage[] = [];
  const faults: string[] = [];
  const fault = (message: string) => faults.length < mostFaults && faults.push(message);
  let fields = new Map<string, string>();
  let files: string[] = [];
  let directory = "";
  let first = 1;
  let number = 0;
  const finish = () => {
    if (fields.size > 0) {
      const found = packageOf(fields, files, first);
      if (typeof found === "string") fault(found);
      else packages.push(found);
    }
    fields = new Map();
    files = [];
    directory = "";
  };
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    const line = text.slice(at, stop);
    at = stop + 1;
    number++;
    if (line === "") {
      finish();
      continue;
    }
    if (line[1] !== ":") {
      fault(`line ${number}: expected a letter and a colon, found ${JSON.stringify(line.slice(0, 60))}`);
      continue;
    }
    const value = line.slice(2);
    if (fields.size === 0) first = number;
    if (line[0] === "F") directory = value === "" ? "" : `${value}/`;
    else if (line[0] === "R") files.push(directory + value);
    else if (!fields.has(line[0] ?? "")) fields.set(line[0] ?? "", value);
  }
  finish();
  return { packages, faults };
}

function packageOf(fields: ReadonlyMap<string, string>, files: readonly string[], line: number): ApkPackage | string {
  const name = fields.get("P") ?? "";
  const version = fields.get("V") ?? "";
  if (!/^[a-zA-Z0-9_.][a-zA-Z0-9+_.-]{0,200}$/.test(name)) {
    return `line ${line}: expected the name of a package, found ${JSON.stringify(name.slice(0, 60))}`;
  }
  if (!/^[0-9A-Za-z._~+-]{1,200}$/.test(version)) {
    return `line ${line}: expected the version of ${name}, found ${JSON.stringify(version.slice(0, 60))}`;
  }
  const text = (field: string, member: string) => {
    const value = fields.get(field)?.trim() ?? "";
    return value === "" ? {} : { [member]: value.slice(0, 1000) };
  };
  const identity = /^Q1([A-Za-z0-9+/]{27}=)$/.exec(fields.get("C") ?? "")?.[1];
  return {
    name,
    version,
    architecture: /^[A-Za-z0-9_-]{1,40}$/.exec(fields.get("A") ?? "")?.[0] ?? "",
    origin: /^[a-zA-Z0-9_.][a-zA-Z0-9+_.-]{0,200}$/.exec(fields.get("o") ?? "")?.[0] ?? name,
    ...text("L", "licence"),
    ...text("m", "maintainer"),
    ...text("U", "homepage"),
    ...text("T", "description"),
    ...(identity !== undefined && { identity: Buffer.from(identity, "base64").toString("hex") }),
    dependencies: names(fields.get("D")),
    provides: names(fields.get("p")),
    files,
    line,
  };
}

/** `a>=1 so:libc.so.1 !b`: names, without versions; conflicts are none. */
function names(written: string | undefined): string[] {
  if (written === undefined) return [];
  return written.split(/\s+/).flatMap((one) => (one.startsWith("!") ? [] : (/^[^<>=~@]+/.exec(one)?.[0] ?? [])));
}
