/**
 * Makes the inputs on which catalogues and scanners are compared: `node bench/sbom/inputs.ts DIRECTORY [PART...]`. A part
 * that is there stays. Everything comes through the ordinary clients of this machine and their configuration; direct
 * versions are pinned, others are what the registries have that day. Needs debootstrap (root), umoci, go, cargo, mvn,
 * zip, and `bench/peers/install.sh clients`; a part whose client is missing is named and left out.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { clientsDirectory } from "@touchmark/test-kit/clients";
import { artifacts, mavenProject, npmProject, pythonPackages, rustProject, workspaceProject } from "./projects.ts";
import { writeRecords } from "./records.ts";

const [given, ...wanted] = process.argv.slice(2);
if (given === undefined) throw new Error("expected: node bench/sbom/inputs.ts DIRECTORY [PART...]");
const root = resolve(given);

function run(
  directory: string,
  program: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): string {
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-trimpath -buildvcs=false", ...environment };
  return execFileSync(program, words, {
    ...{ cwd: directory, encoding: "utf8", env, maxBuffer: 1 << 28 },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function write(directory: string, name: string, content: string): void {
  mkdirSync(join(directory, name, ".."), { recursive: true });
  writeFileSync(join(directory, name), content);
}

const python = join(clientsDirectory, "python", "bin");
const nodeClients = join(clientsDirectory, "node", "node_modules");

/** The first Debian archive of this machine's configuration. */
function debianArchive(): string {
  const lists = "/etc/apt/sources.list.d";
  const files = [
    ...(existsSync(lists) ? readdirSync(lists).map((name) => join(lists, name)) : []),
    "/etc/apt/sources.list",
  ];
  for (const file of files.filter((path) => existsSync(path))) {
    const found = /^(?:URIs:\s*|deb (?:\[[^\]]*\] )?)(\S+)/m.exec(readFileSync(file, "utf8"));
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error("no Debian archive is configured");
}

function rootFileSystem(to: string): void {
  const packages = "python3,nodejs,openjdk-17-jre-headless,golang-go,nginx";
  run(root, "debootstrap", ["--variant=minbase", `--include=${packages}`, "bookworm", to, debianArchive()]);
  for (const each of ["dev", "proc", "sys", "var/cache/apt/archives", "var/lib/apt/lists"]) {
    rmSync(join(to, each), { recursive: true, force: true });
    mkdirSync(join(to, each));
  }
}

/** The same tree as an image of one layer. */
function image(to: string): void {
  run(root, "umoci", ["init", "--layout", to]);
  run(root, "umoci", ["new", "--image", `${to}:latest`]);
  run(root, "umoci", ["insert", "--image", `${to}:latest`, join(root, "rootfs"), "/"]);
  run(root, "umoci", ["gc", "--layout", to]);
}

function goPrograms(to: string): void {
  const tools = [
    "bundle",
    "callgraph",
    "deadcode",
    "digraph",
    "eg",
    "godoc",
    "goimports",
    "goyacc",
    "present",
    "stringer",
  ];
  for (const tool of tools) run(root, "go", ["install", `golang.org/x/tools/cmd/${tool}@v0.28.0`], { GOBIN: to });
  const more = [
    "github.com/google/go-containerregistry/cmd/registry@v0.20.7",
    "github.com/regclient/regclient/cmd/regctl@v0.11.7",
  ];
  for (const program of more) run(root, "go", ["install", program], { GOBIN: to });
}

/** Archives as they are published; one renamed; seven in one; that one in another. */
function javaArchives(to: string): void {
  for (const artifact of artifacts) {
    const words = [
      "dependency:copy",
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${to}`,
      "-Dmdep.useBaseVersion=true",
    ];
    run(root, "mvn", ["-q", "-B", ...words]);
  }
  const work = `${to}.work`;
  write(work, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMain-Class: bench.Main\r\n");
  mkdirSync(join(work, "BOOT-INF", "lib"), { recursive: true });
  mkdirSync(join(work, "lib"));
  for (const name of readdirSync(to).filter((jar) => /^(?:log4j|spring|snakeyaml|jackson)-/.test(jar))) {
    cpSync(join(to, name), join(work, "BOOT-INF", "lib", name));
  }
  run(work, "zip", ["-q", "-X", "-0", "-r", join(to, "fat-app-1.0.0.jar"), "META-INF", "BOOT-INF"]);
  cpSync(join(to, "fat-app-1.0.0.jar"), join(work, "lib", "fat-app-1.0.0.jar"));
  run(work, "zip", ["-q", "-X", "-0", "-r", join(to, "outer-2.0.0.war"), "META-INF", "lib"]);
  cpSync(join(to, "commons-text-1.9.jar"), join(to, "renamed.jar"));
  rmSync(work, { recursive: true });
}

const registryOfNpm = (): string => run(root, "npm", ["config", "get", "registry"]).trim();

/** Every part: its folder, and what makes it. */
const parts: Readonly<Record<string, (to: string) => void>> = {
  npm(to) {
    write(to, "package.json", npmProject);
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"];
    run(to, "npm", ["install", "--package-lock-only", "--lockfile-version", "3", ...quiet]);
  },
  pnpm(to) {
    write(to, "package.json", workspaceProject("bench-pnpm"));
    const client = join(nodeClients, "pnpm-10", "bin", "pnpm.cjs");
    run(to, process.execPath, [client, "install", "--lockfile-only", "--ignore-scripts"]);
  },
  yarn(to) {
    write(to, "package.json", workspaceProject("bench-yarn"));
    write(to, "yarn.lock", "");
    const client = join(nodeClients, "yarn-berry", "bin", "yarn.js");
    const environment = { YARN_ENABLE_IMMUTABLE_INSTALLS: "false", YARN_NPM_REGISTRY_SERVER: registryOfNpm() };
    run(to, process.execPath, [client, "install", "--mode=update-lockfile"], environment);
    for (const name of readdirSync(to).filter((each) => /^\.(?:yarn|pnp)/.test(each))) {
      rmSync(join(to, name), { recursive: true });
    }
  },
  uv(to) {
    const dependencies = JSON.stringify(pythonPackages);
    const project = `name = "bench-uv"\nversion = "1.0.0"\nrequires-python = ">=3.11,<3.13"\ndependencies = ${dependencies}`;
    write(to, "pyproject.toml", `[project]\n${project}\n`);
    run(to, join(python, "uv"), ["lock", "-q"]);
  },
  poetry(to) {
    const rows = pythonPackages.map((each) => each.replace("==", ' = "').concat('"'));
    const project = `[tool.poetry]\nname = "bench-poetry"\nversion = "1.0.0"\npackage-mode = false\n`;
    const dependencies = [`python = ">=3.11,<3.13"`, ...rows].join("\n");
    write(to, "pyproject.toml", `${project}[tool.poetry.dependencies]\n${dependencies}\n`);
    run(to, join(python, "poetry"), ["lock", "-q", "-n"]);
  },
  cargo(to) {
    write(to, "Cargo.toml", rustProject);
    write(to, "src/main.rs", "fn main() {}\n");
    run(to, "cargo", ["generate-lockfile", "-q"]);
  },
  gomod(to) {
    const { Dir } = JSON.parse(run(root, "go", ["mod", "download", "-json", "github.com/anchore/syft@v1.52.0"])) as {
      readonly Dir: string;
    };
    for (const name of ["go.mod", "go.sum"]) write(to, name, readFileSync(join(Dir, name), "utf8"));
  },
  maven: (to) => write(to, "pom.xml", mavenProject),
  venv(to) {
    run(root, join(python, "uv"), ["-q", "venv", to]);
    const packages = [
      "jupyterlab==4.3.4",
      "django==4.2.1",
      "requests==2.31.0",
      "fastapi==0.115.6",
      "sqlalchemy==2.0.36",
    ];
    run(root, join(python, "uv"), ["-q", "pip", "install", "-p", to, "--link-mode", "copy", ...packages]);
  },
  go: goPrograms,
  jars: javaArchives,
  rootfs: rootFileSystem,
  oci: image,
  advisories: (to) => writeRecords(root, to),
};

for (const name of wanted) if (!(name in parts)) throw new Error(`there is no part ${name}`);
let failed = false;
for (const [name, make] of Object.entries(parts)) {
  const to = join(root, name);
  if ((wanted.length > 0 && !wanted.includes(name)) || existsSync(to)) continue;
  const unfinished = `${to}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(name === "oci" ? root : unfinished, { recursive: true });
  try {
    make(unfinished);
    renameSync(unfinished, to);
    process.stderr.write(`made ${name}\n`);
  } catch (error) {
    failed = true;
    process.stderr.write(`left out ${name}: ${error instanceof Error ? error.message.slice(0, 600) : String(error)}\n`);
  }
}
process.exitCode = failed ? 1 : 0;
