import type { FileFacts } from "../../catalogue/cataloger.ts";

/** A lockfile of Python by its rule, and the name by which its format is known where it has another. */
export interface PythonLockfile {
  readonly rule: string;
  readonly name: string;
  /** True where its own name says that it is for work on the project only. */
  readonly isDevelopment: boolean;
}

const rules: Readonly<Record<string, string>> = {
  "poetry.lock": "poetry-lock",
  "uv.lock": "uv-lock",
  "Pipfile.lock": "pipfile-lock",
  "pylock.toml": "pylock",
};

const development = /(?:^|[-_.])(?:dev|develop|development|tests?|testing|lint|docs?)\.txt$/;

/** What lies in an environment was published with a package, and locks nothing there. */
export function pythonLockfile({ path, name }: Pick<FileFacts, "path" | "name">): PythonLockfile | undefined {
  if (/(?:^|\/)(?:site-packages|dist-packages|node_modules)\//.test(path)) return undefined;
  if (Object.hasOwn(rules, name)) return { rule: rules[name] ?? "", name, isDevelopment: false };
  if (/^pylock\.[^.]+\.toml$/.test(name)) return { rule: "pylock", name, isDevelopment: false };
  const isNamed = /^requirements(?:[-_.][\w.-]+)?\.txt$/.test(name);
  if (!isNamed && !/(?:^|\/)requirements\/[\w.-]+\.txt$/.test(path)) return undefined;
  return { rule: "requirements", name: isNamed ? name : "requirements.txt", isDevelopment: development.test(name) };
}
