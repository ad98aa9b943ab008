import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { advisoryPlace, importAdvisories } from "@touchmark/advisories";
import { rescanArtifacts } from "@touchmark/pipeline/analysis";
import { missingForRuns, openScene } from "@touchmark/pipeline/fixture";
import { expect, onTestFinished, test } from "vitest";
import { flaw } from "./advisories-scene.ts";

const missing = missingForRuns();

/** One package, shipped openly, under another directory's name, in an archive of an archive, and in a fixed version. */
const pipeline = `
    steps:
      pack:
        run: |
          cp -r vendor "$TOUCHMARK_OUTPUT/open"
          mkdir -p "$TOUCHMARK_OUTPUT/renamed/node_modules"
          cp -r vendor/node_modules/left "$TOUCHMARK_OUTPUT/renamed/node_modules/harmless"
          tar cf "$TOUCHMARK_OUTPUT/inner.tar" vendor
          mkdir "$TOUCHMARK_OUTPUT/nested"
          tar cf "$TOUCHMARK_OUTPUT/nested/theme.tar" -C "$TOUCHMARK_OUTPUT" inner.tar
          mkdir -p "$TOUCHMARK_OUTPUT/fixed/node_modules/left"
          sed s/1.2.0/2.0.0/ vendor/node_modules/left/package.json > "$TOUCHMARK_OUTPUT/fixed/node_modules/left/package.json"
        inputs: { source: /work/source }
    artifacts:
      open: { from: pack, path: open, kind: directory }
      renamed: { from: pack, path: renamed, kind: directory }
      nested: { from: pack, path: nested, kind: directory }
      fixed: { from: pack, path: fixed, kind: directory }
`;

test.skipIf(missing !== null)(
  "AT29: a flaw that is found after the release is found in every artifact that holds the package, and in no other",
  async () => {
    const scene = await openScene();
    onTestFinished(() => scene.close());
    const manifest = JSON.stringify({ name: "left", version: "1.2.0", license: "MIT" });
    const files = { "vendor/node_modules/left/package.json": manifest };
    expect((await scene.run(scene.project("shop", pipeline, files))).status).toBe("succeeded");
    const path = join(scene.directory, "feed.json");
    writeFileSync(path, JSON.stringify([flaw("GHSA-after-the-release")]));
    const place = advisoryPlace(scene.factory.home.path);
    await importAdvisories({ input: { name: "feed", kind: "osv", path }, place, clock: scene.factory.clock });
    const looked = await rescanArtifacts(scene.factory, { attest: true });
    const found = looked.map(({ name, appeared }) => [name, appeared.map(({ id }) => id)]);
    expect(Object.fromEntries(found)).toEqual({
      open: ["GHSA-after-the-release"],
      renamed: ["GHSA-after-the-release"],
      nested: ["GHSA-after-the-release"],
      fixed: [],
    });
  },
);
