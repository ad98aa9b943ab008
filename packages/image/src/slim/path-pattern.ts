import { slimErrors } from "./errors.ts";

const MAX_PATTERN = 512;
const MAX_STARS = 12;

/**
 * A set of paths by patterns: `*` and `?` within a name, `**` for any depth. What lies below a path that matches is in it
 * too. @throws SLIM_PATTERN_INVALID
 */
export function pathSet(patterns: readonly string[]): (path: string) => boolean {
  const plain = new Set<string>();
  const others: RegExp[] = [];
  for (const pattern of patterns) {
    const path = checked(pattern);
    if (/[*?]/.test(path)) others.push(expressionOf(path));
    else plain.add(path);
  }
  const matches = (path: string) => plain.has(path) || others.some((each) => each.test(path));
  return (path) => {
    if (matches(path)) return true;
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      if (matches(path.slice(0, cut))) return true;
    }
    return false;
  };
}

function checked(pattern: string): string {
  const path = pattern.replace(/^\/+/, "").replace(/\/+$/, "");
  const stars = path.split("*").length - 1;
  const isWrong =
    path === "" ||
    pattern.length > MAX_PATTERN ||
    stars > MAX_STARS ||
    /[\0-\x1f\x7f]/.test(path) ||
    path.split("/").some((part) => part === "" || part === "." || part === "..");
  if (isWrong) {
    throw slimErrors.make(
      "SLIM_PATTERN_INVALID",
      `expected a path of the image, found ${JSON.stringify(pattern.slice(0, 200))}`,
    );
  }
  return path;
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern
    .split("/")
    .map((part) =>
      part === "**"
        ? part
        : part
            .replace(/[\\^$.*+?()[\]{}|]/g, (c) => (c === "*" ? "[^/]*" : c === "?" ? "[^/]" : `\\${c}`))
            .replace(/(?:\[\^\/\]\*){2,}/g, "[^/]*"),
    );
  let source = "";
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (part === "**") source += isLast ? ".+" : "(?:[^/]+/)*";
    else source += isLast ? part : `${part}/`;
  }
  return new RegExp(`^${source}$`);
}
