import { goErrors } from "./errors.ts";

/** A module of vendor/modules.txt. */
export interface VendoredModule {
  readonly path: string;
  /** Empty for one that a directory replaces, in some versions of Go. */
  readonly version: string;
  /** The main module requires it itself. */
  readonly explicit: boolean;
  readonly replacement?: { readonly path: string; readonly version?: string };
  readonly line: number;
}

const mostLines = 1_000_000;
const form = /^# (\S{1,500})(?: (v\S{1,250}))?(?: => (\S{1,500})(?: (v\S{1,250}))?)?$/;

/** Reads vendor/modules.txt, which `go mod vendor` writes. @throws SBOM_GO_VENDOR_MALFORMED */
export function readVendoredModules(text: string, where: string): readonly VendoredModule[] {
  const lines = text.split("\n");
  if (lines.length > mostLines) {
    throw goErrors.make("SBOM_GO_VENDOR_MALFORMED", `${where}: expected at most ${mostLines} lines`);
  }
  const modules: VendoredModule[] = [];
  const known = new Set<string>();
  let isOpen = false;
  for (const [index, raw] of lines.entries()) {
    const line = raw.trimEnd();
    if (line.startsWith("## ")) {
      const last = modules.at(-1);
      // A word of the workspace stands before the first module.
      if (last !== undefined && isOpen && /(?:^|[ ;])explicit(?:$|[ ;])/.test(line.slice(3))) {
        modules[modules.length - 1] = { ...last, explicit: true };
      }
      continue;
    }
    if (!line.startsWith("# ")) continue;
    const [, path, version = "", to, toVersion] = form.exec(line) ?? [];
    if (path === undefined) {
      throw goErrors.make(
        "SBOM_GO_VENDOR_MALFORMED",
        `${where}:${index + 1}: expected # MODULE VERSION, found ${JSON.stringify(line.slice(0, 80))}`,
      );
    }
    // Behind all modules, replacements without a version stand once more.
    isOpen = !(version === "" && to !== undefined && known.has(path));
    if (!isOpen) continue;
    known.add(path);
    modules.push({
      path,
      version,
      explicit: false,
      ...(to !== undefined && { replacement: { path: to, ...(toVersion !== undefined && { version: toVersion }) } }),
      line: index + 1,
    });
  }
  return modules;
}
