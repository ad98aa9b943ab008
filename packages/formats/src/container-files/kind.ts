/** What a container file is. */
export type ContainerFileKind =
  | "recipe"
  | "compose"
  | "kubernetes"
  | "helm-values"
  | "helm-template"
  | "makefile"
  | "shell";

/** True when a file's name says that it may be one: its content then decides. */
export function mayBeContainerFile(path: string): boolean {
  return byName(baseName(path)) !== undefined || /\.(?:ya?ml|tpl)$/i.test(path);
}

/** What a file is by name and content; undefined for other files. `charts` are directories with a Chart.yaml. */
export function containerFileKind(
  path: string,
  text: string,
  charts: ReadonlySet<string> = new Set(),
): ContainerFileKind | undefined {
  const name = baseName(path);
  const known = byName(name);
  if (known !== undefined) return known;
  if (/\.(?:ya?ml|tpl)$/i.test(name)) {
    const chart = chartOf(path, charts);
    if (chart !== undefined) {
      const rest = chart === "" ? path : path.slice(chart.length + 1);
      if (rest.startsWith("templates/")) return "helm-template";
      if (/^values[\w.-]*\.ya?ml$/.test(rest)) return "helm-values";
    }
    if (/\.tpl$/i.test(name)) return undefined;
    if (isKubernetes(text))
      return /\{\{/.test(text) && /\/templates\//.test(`/${path}`) ? "helm-template" : "kubernetes";
    if (/^services:\s*(?:#.*)?$/m.test(text) && /^\s+(?:image|build):/m.test(text)) return "compose";
  }
  return undefined;
}

/** Directory of a file, without a slash at its end; empty for the top. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

/** The chart that a file belongs to: the nearest directory above it with a Chart.yaml. */
export function chartOf(path: string, charts: ReadonlySet<string>): string | undefined {
  for (let directory = directoryOf(path); ; directory = directoryOf(directory)) {
    if (charts.has(directory)) return directory;
    if (directory === "") return undefined;
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function byName(name: string): ContainerFileKind | undefined {
  // What becomes one of these files later is none yet.
  if (/\.(?:dockerignore|template|tmpl|tpl|j2|jinja2?|erb|in|m4|md|txt)$/i.test(name)) return undefined;
  if (/^(?:dockerfile|containerfile)(?:[.-].+)?$/i.test(name) || /\.(?:dockerfile|containerfile)$/i.test(name))
    return "recipe";
  if (/^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/i.test(name)) return "compose";
  if (/^(?:GNU)?makefile$/i.test(name) || name.endsWith(".mk")) return "makefile";
  return /\.(?:sh|bash)$/.test(name) ? "shell" : undefined;
}

function isKubernetes(text: string): boolean {
  return /^(?:apiVersion|"apiVersion"):\s*\S/m.test(text) && /^(?:kind|"kind"):\s*\S/m.test(text);
}
