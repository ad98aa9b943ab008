import { licencePolicy } from "@touchmark/formats/licences";
import type { Component, LicenceFact, Sbom } from "@touchmark/formats/sbom";
import { expect, test } from "vitest";
import { concludedLicence, judgeComponent, judgeLicences } from "./index.ts";

const declared = (expression: string): LicenceFact => ({ expression, confidence: 1 });
const text = (expression: string, confidence = 1): LicenceFact => ({ expression, path: "a/LICENSE", confidence });

function component(declaredLicences: readonly LicenceFact[], detectedLicences: readonly LicenceFact[] = []): Component {
  return {
    ...{ ref: "pkg:npm/a@1", kind: "library", name: "a", version: "1", type: "npm", scope: "runtime" },
    ...{ hashes: [], cpes: [], occurrences: [], properties: [], declaredLicences, detectedLicences },
  };
}

const lists = { allow: ["MIT", "ISC", "LicenseRef-public-domain"], deny: ["GPL-3.0-only"], warn: ["MPL-2.0"] };
const policy = licencePolicy(lists);
const judged = (one: Component, rules = policy) => {
  const { class: found, expression, reason } = judgeComponent(one, rules);
  return [found, expression, reason];
};

test("L14: all that a component declares holds, and what names no licence is unknown unless something is denied", () => {
  expect(judged(component([declared("MIT"), declared("ISC")]))).toEqual(["allowed", "MIT AND ISC", "MIT is allowed"]);
  expect(judged(component([declared("MIT"), { text: "Ours", confidence: 1 }]))).toEqual([
    ...["unknown", "MIT", '"Ours" names no licence of the SPDX list'],
  ]);
  expect(judged(component([{ text: "Ours", confidence: 1 }, declared("GPL-3.0-only")]))[0]).toBe("denied");
  expect(judged(component([{ text: "public-domain", confidence: 1 }]))[0]).toBe("allowed");
  expect(judged(component([{ text: "Ours", confidence: 1 }]))[0]).toBe("unknown");
  expect(judged(component([{ expression: "no such thing", confidence: 1 }]))[0]).toBe("unknown");
  expect(judged(component([]))).toEqual(["unknown", undefined, "no licence is known"]);
  expect(judgeComponent(component([declared("GPL-3.0-only OR MIT")]), policy).chosen).toBe("MIT");
});

test("L15: texts count alone where nothing is declared, from the likeness on that the policy asks for", () => {
  expect(judged(component([], [text("MIT", 0.97)]))).toEqual([
    "allowed",
    "MIT",
    "MIT is allowed, by a/LICENSE (97 % alike)",
  ]);
  expect(judged(component([], [text("MIT", 0.88)]))[0]).toBe("unknown");
  expect(judged(component([], [text("MIT", 0.88)]), licencePolicy({ ...lists, confidence: 0.8 }))[0]).toBe("allowed");
});

test("L15: a text that is worse than what is declared is warned of, judged, or passed over, as the policy says", () => {
  const other = component([declared("MIT")], [text("GPL-3.0-only", 0.95)]);
  expect(judged(other)).toEqual([
    ...[
      "warned",
      "MIT",
      "MIT is allowed, and its texts say otherwise: GPL-3.0-only is denied, by a/LICENSE (95 % alike)",
    ],
  ]);
  expect(judged(other, licencePolicy({ ...lists, detected: "judge" }))[0]).toBe("denied");
  expect(judged(other, licencePolicy({ ...lists, detected: "fill" }))[0]).toBe("allowed");
  expect(judged(component([declared("GPL-3.0-only")], [text("MIT")]))[0]).toBe("denied");
  expect(judged(component([declared("MIT")], [text("ISC")]))[2]).toBe("MIT is allowed");
});

test("L16: every component but the root is judged, once, and files and systems are not", () => {
  const one = component([declared("MIT")]);
  const components: Component[] = [
    { ...one, ref: "root", kind: "application" },
    { ...one, ref: "a" },
    { ...one, ref: "b", kind: "framework" },
    { ...one, ref: "c", kind: "operating-system" },
    { ...one, ref: "d", kind: "file" },
  ];
  const sbom: Sbom = {
    ...{ subject: { kind: "directory", name: "x" }, root: "root", components },
    ...{ dependencies: [], layers: [], losses: [], tools: [] },
  };
  expect(judgeLicences(sbom, policy).map((each) => each.component)).toEqual(["a", "b"]);
});

test("L17: what is concluded is what is declared, else what sure texts say", () => {
  expect(concludedLicence(component([declared("MIT"), declared("ISC OR Zlib")], [text("GPL-3.0-only")]))).toBe(
    "MIT AND (ISC OR Zlib)",
  );
  expect(concludedLicence(component([], [text("MIT"), text("ISC", 0.95), text("Zlib", 0.5)]))).toBe("MIT AND ISC");
  expect(concludedLicence(component([{ text: "Ours", confidence: 1 }]))).toBeUndefined();
});
