import { fixedClock, sha256 } from "@touchmark/core";
import { annotationKeys, mediaTypes, parseManifest } from "@touchmark/formats/oci";
import { afterEach, expect, test } from "vitest";
import { findEvidence } from "./evidence.ts";
import { putImage } from "./images.fixture.ts";
import { publishArtifact } from "./publish.ts";
import { closeScripted, listed, pieces, repositoryAt, scriptedRegistry } from "./scripted.fixture.ts";

afterEach(closeScripted);
const created = fixedClock("2026-01-02T03:04:05Z");
const bundles = ["one", "two", "three"].map((word) => ({
  bytes: Buffer.from(word),
  predicateType: `https://example.com/${word}`,
}));
const file = (name: string, content: Uint8Array) => ({
  ...{ name, mediaType: "application/gzip", digest: sha256(content), size: content.length },
  open: () => pieces(content),
});

test("C17: files become an artifact, bundles its referrers with the annotations of cosign, and the tag comes last", async () => {
  const registry = await scriptedRegistry();
  const to = repositoryAt(registry.host);
  const content = Buffer.from("package");
  const request = {
    ...{ files: [file("a.tgz", content)], artifactType: "application/vnd.example.package", bundles, created },
    ...{ tag: "1.0", annotations: { [annotationKeys.version]: "1.0" } },
  };
  const report = await publishArtifact(to, request);
  expect(registry.log.at(-1)).toBe("PUT /v2/a/b/manifests/1.0");
  const found = await to.manifest("1.0");
  expect(found.descriptor).toEqual(report.subject);
  const manifest = parseManifest(found.bytes);
  expect(manifest).toMatchObject({
    artifactType: "application/vnd.example.package",
    annotations: { [annotationKeys.created]: "2026-01-02T03:04:05Z", [annotationKeys.version]: "1.0" },
    layers: [{ digest: sha256(content), annotations: { [annotationKeys.title]: "a.tgz" } }],
  });
  const shown = await listed(to.referrers(report.subject.digest));
  expect(new Set(shown.map(({ annotations }) => annotations?.[annotationKeys.bundlePredicateType]))).toEqual(
    new Set(bundles.map(({ predicateType }) => predicateType)),
  );
  expect(shown[0]).toMatchObject({
    artifactType: mediaTypes.sigstoreBundle,
    annotations: { [annotationKeys.bundleContent]: "dsse-envelope", [annotationKeys.created]: "2026-01-02T03:04:05Z" },
  });
  expect(await listed(findEvidence(to, report.subject.digest))).toHaveLength(3);
  expect(report.sent).toBe(5);
  expect(await publishArtifact(to, request)).toEqual({ ...report, sent: 0 });
});

test("C17: an image that is there gets its bundles; publishing that broke goes on", async () => {
  const registry = await scriptedRegistry();
  const to = repositoryAt(registry.host);
  const subject = await putImage(to);
  let left = 8;
  registry.script = (request) => {
    if (left-- > 0) return false;
    request.socket.destroy();
    return true;
  };
  const request = { subject, bundles, created, tag: "v1", atOnce: 1 };
  await expect(publishArtifact(to, request)).rejects.toThrow(
    expect.objectContaining({ code: "OCI_CLIENT_UNREACHABLE" }),
  );
  registry.script = () => false;
  await expect(to.manifest("v1")).rejects.toThrow(expect.objectContaining({ code: "OCI_CLIENT_NOT_FOUND" }));
  const report = await publishArtifact(to, request);
  expect(report.sent).toBeLessThan(3);
  expect((await to.manifest("v1")).descriptor.digest).toBe(subject.digest);
  expect(await listed(to.referrers(subject.digest))).toHaveLength(3);
});

test("C17: a file that is another than announced is not published", async () => {
  const to = repositoryAt((await scriptedRegistry()).host);
  const lying = { ...file("a", Buffer.from("good")), open: () => pieces(Buffer.from("evil")) };
  await expect(publishArtifact(to, { files: [lying], bundles, created, tag: "v1" })).rejects.toThrow(
    expect.objectContaining({ code: "OCI_CLIENT_REJECTED" }),
  );
  expect(await listed(to.tags())).toEqual([]);
});

test("C17: nothing is no artifact", async () => {
  const to = repositoryAt((await scriptedRegistry()).host);
  await expect(publishArtifact(to, { files: [], bundles, created })).rejects.toThrow(
    expect.objectContaining({ code: "OCI_TRANSFER_NOTHING" }),
  );
});
