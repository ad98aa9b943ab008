import { expect, test } from "vitest";
import { collected, contextOf } from "../catalogers/collected.fixture.ts";
import type { Found, FoundComponent } from "../catalogue/cataloger.ts";
import { sbomErrors } from "../errors.ts";
import { isLicenceFile, withLicenceFiles } from "./licence-files.ts";
import { bsd2, isc, mit } from "./texts.fixture.ts";

function component(type: string, name: string, rest: Partial<FoundComponent> = {}): FoundComponent {
  const path = `${name}/manifest`;
  return {
    key: name,
    kind: "library",
    name,
    version: "1",
    type,
    scope: "runtime",
    occurrences: [{ path, rule: "r" }],
    ...rest,
  };
}

const at = (path: string) => ({ occurrences: [{ path, rule: "r" }] });
const foundOf = (...components: FoundComponent[]): Found[] => [{ components, edges: [], roots: [], losses: [] }];

/** Licences that each component is given, by its name; declared ones behind `!`. */
function given(components: readonly FoundComponent[], tree: Readonly<Record<string, string>>): Record<string, unknown> {
  const files = Object.entries(tree).map(([path, text]) => collected(path, text));
  const { found, losses } = withLicenceFiles(foundOf(...components), files, contextOf(files));
  expect(losses).toEqual([]);
  return Object.fromEntries(
    (found[0]?.components ?? []).map(({ name, declaredLicences = [], detectedLicences = [] }) => [
      name,
      [
        ...declaredLicences.map(({ expression, path }) => `!${expression} ${path}`),
        ...detectedLicences.map(({ expression, path }) => `${expression} ${path}`),
      ],
    ]),
  );
}

test("L10: files of licences are known by their names", () => {
  const is = (path: string) => isLicenceFile(collected(path, "x"));
  for (const path of [
    "LICENSE",
    "a/LICENCE.md",
    "COPYING.LESSER",
    "LICENSE-MIT",
    "license.txt",
    "NOTICE",
    "UNLICENSE",
    "copyright",
    "MIT-LICENSE.txt",
    "a.dist-info/licenses/x/AUTHORS",
    "ThirdPartyNotices.txt",
    "foo.LICENSE.txt",
  ]) {
    expect(is(path), path).toBe(true);
  }
  for (const path of [
    "license.js",
    "LICENSE.json",
    "licensing/index.ts",
    "copying.go",
    "README.md",
    "licenses/index.html.erb",
    "Makefile",
    "license-checker",
  ]) {
    expect(is(path), path).toBe(path === "license-checker");
  }
  expect(isLicenceFile(collected("LICENSE", ""))).toBe(false);
});

test("L11: a text belongs to the package whose directory it lies in, the innermost one", () => {
  const outer = component("npm", "outer", { ownsBelow: ["node_modules/outer"] });
  const inner = component("npm", "inner", at("node_modules/outer/node_modules/inner/package.json"));
  const shop = component("npm", "shop", at("package.json"));
  const locked = component("npm", "locked", at("package-lock.json"));
  expect(
    given([outer, inner, shop, locked], {
      LICENSE: isc,
      "docs/LICENSE": isc,
      "node_modules/outer/LICENSE": mit,
      "node_modules/outer/lib/vendored/COPYING": bsd2,
      "node_modules/outer/node_modules/inner/LICENSE": bsd2,
      "node_modules/unknown/LICENSE": mit,
      "deep/in/the/tree/LICENSE": mit,
    }),
  ).toEqual({
    outer: ["MIT node_modules/outer/LICENSE", "BSD-2-Clause node_modules/outer/lib/vendored/COPYING"],
    inner: ["BSD-2-Clause node_modules/outer/node_modules/inner/LICENSE"],
    shop: ["ISC LICENSE"],
    locked: [],
  });
});

test("L11: a text belongs to the package whose records or name say so", () => {
  const components = [
    component("pypi", "wheel", { owns: ["lib/wheel-1.dist-info/licenses/LICENSE"] }),
    component("golang", "github.com/Some/mod/v2"),
    component("golang", "github.com/Some/mod/v2", { key: "2", version: "v2.0.0" }),
    component("composer", "a/b"),
    component("apk", "busybox"),
    component("rpm", "bash"),
  ];
  const tree = {
    "lib/wheel-1.dist-info/licenses/LICENSE": mit,
    "vendor/github.com/Some/mod/v2/LICENSE": mit,
    "root/go/pkg/mod/github.com/!some/mod/v2@v2.0.0/sub/LICENSE": isc,
    "vendor/a/b/LICENSE": bsd2,
    "usr/share/licenses/busybox/COPYING": isc,
    "usr/share/doc/bash/COPYING": mit,
    "usr/share/doc/other/COPYING": mit,
  };
  expect(given(components, tree)).toMatchObject({
    wheel: ["MIT lib/wheel-1.dist-info/licenses/LICENSE"],
    "github.com/Some/mod/v2": expect.arrayContaining([
      "ISC root/go/pkg/mod/github.com/!some/mod/v2@v2.0.0/sub/LICENSE",
    ]),
    "a/b": ["BSD-2-Clause vendor/a/b/LICENSE"],
    busybox: ["ISC usr/share/licenses/busybox/COPYING"],
    bash: ["MIT usr/share/doc/bash/COPYING"],
  });
});

test("L11: the copyright file of a Debian package is what it declares, also where packages share one", () => {
  const copyright = collected("usr/share/doc/base/copyright", "Format: x\n\nFiles: *\nLicense: Expat\n");
  const context = contextOf([copyright]);
  const linked = {
    ...context,
    file: (path: string) => context.file(path === "usr/share/doc/lib/copyright" ? copyright.path : path),
  };
  const { found } = withLicenceFiles(
    foundOf(component("deb", "base"), component("deb", "lib"), component("deb", "none")),
    [copyright],
    linked,
  );
  expect(found[0]?.components.map(({ declaredLicences }) => declaredLicences?.[0]?.expression)).toEqual([
    "MIT",
    "MIT",
    undefined,
  ]);
});

test("L12: each licence stands once, with its best place; what was there before stays", () => {
  const before = component("npm", "a", { ownsBelow: ["a"], declaredLicences: [{ expression: "Zlib", confidence: 1 }] });
  const changed = mit.replace("merge, publish, ", "");
  expect(given([before], { "a/COPYING": changed, "a/LICENSE": mit, "a/x/LICENSE": mit })).toEqual({
    a: ["!Zlib undefined", "MIT a/LICENSE"],
  });
});

test("L13: of a component the nearest twenty files are read, of a file the first MiB, and the rest is a loss", () => {
  const owner = component("npm", "a", { ownsBelow: ["a"] });
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`a/${"d/".repeat(i)}LICENSE`, i < 20 ? isc : mit]),
  );
  expect(given([owner], many)).toEqual({ a: ["ISC a/LICENSE"] });
  const large = collected("a/LICENSE", `${mit}${" ".repeat(1_100_000)}`);
  const { found, losses } = withLicenceFiles(foundOf(owner), [large], contextOf([large]));
  expect(found[0]?.components[0]?.detectedLicences?.[0]?.expression).toBe("MIT");
  expect(losses).toMatchObject([{ path: "a/LICENSE", code: "SBOM_FILE_TOO_LARGE" }]);
});

test("L13: a file that is no text, or cannot be read, says nothing; the latter is a loss", () => {
  const owner = component("npm", "a", { ownsBelow: ["a"] });
  const binary = collected("a/COPYING", `\u0000${mit}`);
  const refused = {
    ...collected("a/LICENSE", mit),
    bytes: () => {
      throw sbomErrors.make("SBOM_FILE_MALFORMED", "expected a file, found none");
    },
  };
  const latin = collected("a/NOTICE", Buffer.from(`Copyright J\u00f6rg\n${isc}`, "latin1"));
  const { found, losses } = withLicenceFiles(foundOf(owner), [binary, refused, latin], contextOf([]));
  expect(found[0]?.components[0]?.detectedLicences).toEqual([{ expression: "ISC", path: "a/NOTICE", confidence: 1 }]);
  expect(losses).toMatchObject([{ path: "a/LICENSE", code: "SBOM_FILE_MALFORMED" }]);
});
