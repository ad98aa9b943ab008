import fc from "fast-check";
import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { rpmContainerManifest } from "./container-manifest.ts";

const lines = [
  "openssl\t1.1.1k-27.cm2\t1695000000\t1690000000\tVendor Corporation\t(none)\t1800000\tx86_64\t0\topenssl-1.1.1k-27.cm2.src.rpm",
  "shadow-utils\t4.9-12.cm2\t1695000000\t1690000000\t(none)\t2\t3000\tx86_64\t2\tshadow-utils-4.9-12.cm2.src.rpm",
  "gpg-pubkey\t1-2\t1\t1\t(none)\t(none)\t0\t(none)\t0\t(none)",
];

function found(text: string) {
  const file = collected("var/lib/rpmmanifest/container-manifest-2", text);
  expect(rpmContainerManifest.wants(file)).toBe(true);
  return rpmContainerManifest.catalogue([file], {
    ...contextOf([file]),
    distribution: { id: "mariner", version: "2.0" },
  });
}

test("R11: packages are read from the list of an image without a database", async () => {
  const { components, losses } = await found(`${lines.join("\n")}\n`);
  expect(losses).toEqual([]);
  expect(
    components.map(({ purl, version, supplier, sourcePackage }) => [purl, version, supplier, sourcePackage?.version]),
  ).toEqual([
    [
      "pkg:rpm/mariner/openssl@1.1.1k-27.cm2?arch=x86_64&distro=mariner-2.0",
      "1.1.1k-27.cm2",
      "Vendor Corporation",
      "1.1.1k-27.cm2",
    ],
    [
      "pkg:rpm/mariner/shadow-utils@4.9-12.cm2?arch=x86_64&distro=mariner-2.0&epoch=2",
      "2:4.9-12.cm2",
      undefined,
      "2:4.9-12.cm2",
    ],
  ]);
});

test("R11: other lines are a loss, and the packages stay", async () => {
  const { components, losses } = await found(`${lines[0]}\nnonsense\n`);
  expect(components).toHaveLength(1);
  expect(losses).toMatchObject([{ code: "SBOM_RPM_HEADER_MALFORMED" }]);
});

test("R6: no text makes the cataloger do anything but answer or lose", async () => {
  const word = fc.oneof(fc.constantFrom("a", "1-1", "x86_64", "0", ""), fc.string({ maxLength: 8 }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(word, { maxLength: 12 }), { maxLength: 5 }), async (rows) => {
      const { losses } = await found(rows.map((row) => row.join("\t")).join("\n"));
      for (const { code } of losses) expect(code).toMatch(/^(?:SBOM_RPM_|PACKAGE_URL_)/);
    }),
    { numRuns: 500 },
  );
});
