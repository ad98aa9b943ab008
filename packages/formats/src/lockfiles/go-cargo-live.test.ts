import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readGoModule } from "./go-mod.ts";
import { readLockfile } from "./index.ts";

const isThere = (program: string, word: string): boolean => spawnSync(program, [word]).status === 0;
const hasGo = isThere("go", "version");
const hasCargo = isThere("cargo", "--version");

function inDirectory<T>(files: Readonly<Record<string, string>>, run: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "lockfile-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface GoModJson {
  readonly Module: { readonly Path: string };
  readonly Require: readonly { readonly Path: string; readonly Version: string; readonly Indirect?: boolean }[];
  readonly Exclude: readonly { readonly Path: string; readonly Version: string }[];
  readonly Replace: readonly Record<"Old" | "New", { readonly Path: string; readonly Version?: string }>[];
}

const hardModule = `module example.com/m // a comment

go 1.21
toolchain go1.22.1
godebug default=go1.21

require example.com/single v1.2.3 // indirect; a reason
require (
	"example.com/quoted" v0.0.0-20210226163009-20ebb0f2a09e
	example.com/raw v2.0.0+incompatible // direct after all, not indirect
	example.com/x/v3 v3.0.0-rc.1 //indirect
)
exclude example.com/single v1.2.2
replace (
	example.com/single => ../single
	example.com/x/v3 v3.0.0-rc.1 => example.com/fork/v3 v3.1.0
)
retract [v1.0.0, v1.0.5] // bad
`;

test.skipIf(!hasGo).each([
  ["a real one", readFileSync(join(import.meta.dirname, "../../testdata/lockfiles/go/go.mod"), "utf8")],
  ["one with everything", hardModule],
])(`J2: go.mod, %s, is read as Go reads it${hasGo ? "" : " (skipped: no Go)"}`, (_, text) => {
  inDirectory({ "go.mod": text }, (directory) => {
    const environment = { ...process.env, GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local" };
    const { stdout } = spawnSync("go", ["mod", "edit", "-json"], {
      cwd: directory,
      encoding: "utf8",
      env: environment,
    });
    const theirs = JSON.parse(stdout) as GoModJson;
    const ours = readGoModule(text);
    expect(ours.module).toBe(theirs.Module.Path);
    expect(ours.require).toEqual(
      theirs.Require.map(({ Path, Version, Indirect }) => ({
        path: Path,
        version: Version,
        indirect: Indirect === true,
      })),
    );
    expect(ours.exclude).toEqual(theirs.Exclude.map(({ Path, Version }) => ({ path: Path, version: Version })));
    expect(ours.replace).toEqual(
      theirs.Replace.map(({ Old, New }) => ({
        path: Old.Path,
        ...(Old.Version !== undefined && { version: Old.Version }),
        to: {
          path: New.Path.replace(/^\.\//, ""),
          ...(New.Version !== undefined && { version: New.Version }),
        },
      })),
    );
  });
});

interface Metadata {
  readonly packages: readonly { readonly id: string; readonly name: string; readonly version: string }[];
  readonly resolve: { readonly nodes: readonly { readonly id: string; readonly dependencies: readonly string[] }[] };
}

const manifest = (name: string, version: string, more: string): string =>
  `[package]\nname = "${name}"\nversion = "${version}"\nedition = "2021"\n${more}`;

test.skipIf(!hasCargo)(
  `J2: what Cargo locks here is read as Cargo lists it${hasCargo ? "" : " (skipped: no Cargo)"}`,
  () => {
    const files = {
      "Cargo.toml": manifest(
        "shop",
        "1.0.0",
        `[workspace]\n[dependencies]\none = { path = "one" }\nold = { path = "old", package = "three" }\n`,
      ),
      "src/lib.rs": "",
      "one/Cargo.toml": manifest("one", "0.1.0", `[dependencies]\ntwo = { path = "../two" }\n`),
      "one/src/lib.rs": "",
      "two/Cargo.toml": manifest("two", "2.0.0", ""),
      "two/src/lib.rs": "",
      "old/Cargo.toml": manifest("three", "1.0.0", ""),
      "old/src/lib.rs": "",
    };
    inDirectory(files, (directory) => {
      const words = ["metadata", "--format-version", "1", "--offline"];
      const { stdout } = spawnSync("cargo", words, { cwd: directory, encoding: "utf8" });
      const { packages, resolve } = JSON.parse(stdout) as Metadata;
      const names = new Map(packages.map(({ id, name, version }) => [id, `${name} ${version}`]));
      const lockfile = readLockfile("Cargo.lock", readFileSync(join(directory, "Cargo.lock")));
      expect(lockfile.packages.map(({ key }) => key).sort()).toEqual([...names.values()].sort());
      const theirs = resolve.nodes.flatMap(({ id, dependencies }) =>
        dependencies.map((to) => `${names.get(id)} > ${names.get(to)}`),
      );
      const ours = lockfile.packages.flatMap(({ key, dependencies }) => dependencies.map((to) => `${key} > ${to}`));
      expect(ours.sort()).toEqual(theirs.sort());
      expect(lockfile.root).toEqual({ name: "shop", version: "1.0.0" });
    });
  },
);
