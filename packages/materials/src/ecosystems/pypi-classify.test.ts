import { expect, test } from "vitest";
import type { EcosystemRequest } from "../ecosystem.ts";
import { pypi } from "./pypi.ts";
import { distributionName, normalVersion, samePythonVersion } from "./pypi-names.ts";

const simple = { name: "own", ecosystem: "pypi", url: "https://index.test/simple/", exclusive: [], order: 0 } as const;

function classify(path: string, upstream = simple as { url: string }, method: EcosystemRequest["method"] = "GET") {
  const url = new URL(path, upstream.url);
  const facts = pypi.classify({ method, url, headers: {} }, { ...simple, ...upstream });
  if (facts === undefined) return undefined;
  const { kind, name, version, fileName, immutable } = facts;
  return [kind, name ?? "-", version ?? "-", fileName ?? "-", immutable ? "immutable" : "mutable"].join(" ");
}

test.each([
  ["six/", "index six - - mutable"],
  ["six", "index six - - mutable"],
  ["Zope.Interface/", "index zope-interface - - mutable"],
  ["pypi/", "index pypi - - mutable"],
  ["simple/", "index simple - - mutable"],
  ["", "chatter - - - mutable"],
  ["six/six-1.17.0-py2.py3-none-any.whl", "archive six 1.17.0 six-1.17.0-py2.py3-none-any.whl immutable"],
  [
    "six/six-1.17.0-py2.py3-none-any.whl.metadata",
    "metadata six 1.17.0 six-1.17.0-py2.py3-none-any.whl.metadata immutable",
  ],
  ["six/1.17.0/six-1.17.0.tar.gz", "archive six 1.17.0 six-1.17.0.tar.gz immutable"],
  ["six/six-1.17.0.tar.gz.asc", "signature six 1.17.0 six-1.17.0.tar.gz.asc mutable"],
  [
    "torch/torch-2.0.0%2Bcu118-cp310-cp310-linux_x86_64.whl",
    "archive torch 2.0.0+cu118 torch-2.0.0+cu118-cp310-cp310-linux_x86_64.whl immutable",
  ],
  ["/pypi/six/json", "metadata six - - mutable"],
  ["/pypi/six/1.17/json", "metadata six 1.17 - mutable"],
  ["/integrity/six/1.17.0/six-1.17.0.tar.gz/provenance", "signature six 1.17.0 six-1.17.0.tar.gz mutable"],
])("E3: %s is read", (path, expected) => {
  expect(classify(path)).toBe(expected);
});

test("E3: an index that holds its simple interface is read like one that is it", () => {
  const root = { url: "https://index.test/" };
  expect(classify("simple/six/", root)).toBe("index six - - mutable");
  expect(classify("simple/", root)).toBe("chatter - - - mutable");
  expect(classify("six/", root)).toBe("index six - - mutable");
  expect(classify("pypi/six/json", root)).toBe("metadata six - - mutable");
  expect(pypi.beside?.({ ...simple, ...root })).toEqual([]);
  expect(pypi.beside?.(simple)).toEqual(["https://index.test/pypi/", "https://index.test/integrity/"]);
});

test.each([
  "six//",
  "%2e%2e%2fsix/",
  "six%2fseven/",
  "six%00/",
  "-six/",
  "six/?x=1",
  "six/seven-1.0.tar.gz",
  "six/six-1.0.txt",
  "six/six-1.17.0-py2.py3-none-any.whl/",
  "six/six-1.whl",
  "/packages/six-1.17.0.tar.gz",
  "/pypi/six/1.17.0/urls",
  "/integrity/six/1.16.0/six-1.17.0.tar.gz/provenance",
  "https://other.test/simple/six/",
  "http://index.test/simple/six/",
  "https://me:secret@index.test/simple/six/",
])("E3: %s is not read", (path) => {
  expect(classify(path)).toBeUndefined();
});

test("E3: nothing is posted to an index", () => {
  expect(classify("six/", simple, "POST")).toBeUndefined();
});

test.each([
  ["1.0.RC1", "1.0rc1"],
  ["1.0-rc.1", "1.0rc1"],
  ["1.0_ALPHA", "1.0a0"],
  ["v1.0", "1.0"],
  ["01.02", "1.2"],
  ["1.0-1", "1.0.post1"],
  ["1.0-r4", "1.0.post4"],
  ["1.0.dev", "1.0.dev0"],
  ["0!1.0", "1.0"],
  ["1!1.0+Ubuntu-1", "1!1.0+ubuntu.1"],
  ["2004d", "2004d"],
])("E3: version %s is %s", (spelled, normal) => {
  expect(normalVersion(spelled)).toBe(normal);
});

test.each([
  ["1.17", "1.17.0", true],
  ["1.0.RC1", "1.0.0rc1", true],
  ["1.0.0.post1", "1.post1", true],
  ["1.10", "1.1", false],
  ["1.0.0", "1.0.1", false],
  ["10", "1", false],
  ["1!1.0", "1.0", false],
])("E3: %s and %s: %s", (one, other, same) => {
  expect(samePythonVersion(one, other)).toBe(same);
});

test.each([
  ["zope-interface", "zope.interface-8.7.tar.gz", { kind: "sdist", version: "8.7" }],
  ["a-b", "a-b-1.0-2.tar.gz", { kind: "sdist", version: "1.0.post2" }],
  ["a", "a-b-1.0.tar.gz", { kind: "sdist" }],
  ["numpy", "numpy-1.3.0.win32-py2.5.exe", { kind: "other" }],
  ["lxml", "lxml-5.0-1-cp311-cp311-linux_x86_64.whl", { kind: "wheel", version: "5.0" }],
  ["lxml", "other-5.0-cp311-cp311-linux_x86_64.whl", undefined],
  ["lxml", "lxml-5.0.exe.txt", undefined],
])("E3: a file of %s: %s", (project, fileName, expected) => {
  expect(distributionName(project, fileName)).toEqual(expected);
});
