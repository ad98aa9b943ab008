import { sha256 } from "@touchmark/core";
import type { Component, ComponentHash, DependencyEdges, Sbom } from "@touchmark/formats/sbom";
import fc from "fast-check";
import { orderedComponents, orderedEdges } from "./order.ts";
import { componentKinds } from "./record.ts";

/** A component with nothing but its name. */
export function plainComponent(ref: string, more: Partial<Component> = {}): Component {
  return {
    ref,
    kind: "library",
    name: ref,
    version: "",
    type: "generic",
    scope: "unknown",
    hashes: [],
    declaredLicences: [],
    detectedLicences: [],
    cpes: [],
    occurrences: [],
    properties: [],
    ...more,
  };
}

const layer = sha256("layer");

/** A small image: a distribution, a system package, npm packages with edges, a circle, every member somewhere. */
export function sampleSbom(): Sbom {
  const distribution = { id: "debian", version: "12", codename: "bookworm", name: "Debian GNU/Linux" };
  const components: Component[] = [
    plainComponent("image", { kind: "container", name: "shop", version: "1.0", direct: false }),
    plainComponent("pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12", {
      name: "libssl3",
      version: "3.0.11-1~deb12u2",
      purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
      type: "deb",
      scope: "runtime",
      architecture: "amd64",
      distribution,
      sourcePackage: { name: "openssl", version: "3.0.11-1~deb12u2" },
      supplier: "Debian OpenSSL Team",
      declaredLicences: [{ expression: "Apache-2.0", path: "usr/share/doc/libssl3/copyright", confidence: 1 }],
      cpes: ["cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*"],
      occurrences: [{ path: "var/lib/dpkg/status", rule: "dpkg-status", layer }],
    }),
    plainComponent("pkg:npm/%40acme/tool@2.0.0", {
      kind: "application",
      name: "@acme/tool",
      version: "2.0.0",
      purl: "pkg:npm/%40acme/tool@2.0.0",
      type: "npm",
      scope: "runtime",
      direct: true,
      hashes: [{ algorithm: "sha512", value: "ab".repeat(64) }],
      homepage: "https://acme.example/tool",
      downloadLocation: "https://files.example/tool-2.0.0.tgz",
      description: 'A tool <of> "acme" & others',
      declaredLicences: [{ expression: "MIT OR Apache-2.0", confidence: 1 }],
      detectedLicences: [{ expression: "MIT", path: "LICENSE", confidence: 0.97 }],
      occurrences: [
        { path: "app/package-lock.json", rule: "npm-package-lock", line: 12 },
        { path: "app/node_modules/@acme/tool/package.json", rule: "npm-installed", layer },
      ],
      properties: [{ name: "touchmark:owned-by", value: "image" }],
    }),
    plainComponent("pkg:npm/left@1.0.0", {
      name: "left",
      version: "1.0.0",
      purl: "pkg:npm/left@1.0.0",
      type: "npm",
      scope: "development",
      declaredLicences: [
        { text: "see LICENSE.txt", confidence: 1 },
        { expression: "ISC", confidence: 1 },
      ],
    }),
    plainComponent("pkg:maven/org.acme/core@3.1", {
      name: "org.acme:core",
      version: "3.1",
      purl: "pkg:maven/org.acme/core@3.1",
      type: "maven",
      scope: "build",
    }),
    plainComponent("pkg:golang/example.com/mod@v1.2.3", {
      name: "example.com/mod",
      version: "v1.2.3",
      purl: "pkg:golang/example.com/mod@v1.2.3",
      type: "golang",
      scope: "optional",
      hashes: [{ algorithm: "h1", value: "00".repeat(32) }],
    }),
  ];
  return {
    subject: { kind: "image", name: "registry.example/shop:1.0", digest: sha256("manifest") },
    root: "image",
    components: orderedComponents(components),
    dependencies: orderedEdges([
      { from: "image", to: ["pkg:npm/%40acme/tool@2.0.0"] },
      { from: "pkg:npm/%40acme/tool@2.0.0", to: ["pkg:npm/left@1.0.0"] },
      { from: "pkg:npm/left@1.0.0", to: ["pkg:npm/%40acme/tool@2.0.0"] },
      { from: "pkg:maven/org.acme/core@3.1", to: [] },
    ]),
    distribution,
    layers: [layer, sha256("second")],
    losses: [{ path: "app/broken.json", code: "SBOM_FILE_MALFORMED", message: "expected JSON" }],
    unowned: [{ path: "usr/local/bin/thing", digest: sha256("thing"), layer }],
    files: { seen: 120, catalogued: 4 },
    created: "2026-01-02T03:04:05Z",
    tools: [{ name: "touchmark", version: "0.1.0", vendor: "Touchmark" }],
  };
}

/** Text as hostile documents have it: controls, lone surrogates, markup, line ends, our own marks. */
const hostileText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    "",
    " x ",
    "\u0000",
    "\ud800",
    "\uffff",
    "a\r\nb",
    "</text>",
    "<text>",
    "]]>&<",
    "NOASSERTION",
    "NONE",
    "SPDXRef-DOCUMENT",
    "Organization: x",
    "a: b",
    "touchmark:sbom:name",
    "pkg:npm/a@1",
  ),
);
const filledText = hostileText.filter((text) => text !== "");
const digest = hostileText.map((text) => sha256(text));
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const licence = fc
  .record({
    expression: maybe(fc.oneof(fc.constantFrom("MIT", "MIT OR Apache-2.0", "LicenseRef-x"), hostileText)),
    text: maybe(hostileText),
    path: maybe(hostileText),
    confidence: fc.constantFrom(0, 0.5, 1),
  })
  .map(present);
const distribution = fc
  .record({
    id: fc.constantFrom("debian", "alpine", "rhel"),
    version: fc.constantFrom("12", "3.20.3", ""),
    codename: maybe(hostileText),
    like: maybe(fc.array(hostileText, { maxLength: 2 })),
    name: maybe(hostileText),
  })
  .map(present);
const hash = fc.oneof(
  fc.record({
    algorithm: fc.constantFrom<ComponentHash["algorithm"]>("sha256", "blake2b-256", "blake3"),
    value: fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdef")), minLength: 64, maxLength: 64 }),
  }),
  fc.record({
    algorithm: fc.constantFrom<ComponentHash["algorithm"]>("md5", "sha1", "sha224", "sha512", "h1"),
    value: hostileText,
  }),
);
const purl = fc.constantFrom(
  "pkg:npm/%40acme/tool@2.0.0",
  "pkg:npm/left@1.0.0",
  "pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12&upstream=bash-src%401",
  "pkg:rpm/redhat/zlib@1-2.el9?arch=x86_64&upstream=zlib-1-2.el9.src.rpm",
  "pkg:maven/org.acme/core@3.1",
  "pkg:generic/a%20b@1",
);
const component = fc
  .record({
    kind: fc.constantFrom(...componentKinds),
    name: fc.oneof(hostileText, fc.constantFrom("@acme/tool", "org.acme:core", "a/b")),
    version: hostileText,
    purl: maybe(purl),
    type: fc.constantFrom("npm", "deb", "rpm", "maven", "generic", ""),
    scope: fc.constantFrom<Component["scope"]>("runtime", "development", "optional", "build", "unknown"),
    direct: maybe(fc.boolean()),
    sourcePackage: maybe(fc.record({ name: hostileText, version: hostileText })),
    distribution: maybe(distribution),
    architecture: maybe(hostileText),
    hashes: fc.array(hash, { maxLength: 3 }),
    declaredLicences: fc.array(licence, { maxLength: 3 }),
    detectedLicences: fc.array(licence, { maxLength: 2 }),
    supplier: maybe(hostileText),
    description: maybe(hostileText),
    homepage: maybe(fc.oneof(fc.webUrl(), hostileText)),
    downloadLocation: maybe(fc.oneof(fc.webUrl(), hostileText)),
    cpes: fc.array(fc.oneof(fc.constant("cpe:2.3:a:a:b:1:*:*:*:*:*:*:*"), hostileText), { maxLength: 3 }),
    occurrences: fc.array(
      fc.record({ path: hostileText, layer: maybe(digest), rule: hostileText, line: maybe(fc.nat()) }).map(present),
      { maxLength: 3 },
    ),
    properties: fc.array(fc.record({ name: hostileText, value: hostileText }), { maxLength: 3 }),
  })
  .map(present);

/** Any SBOM that our types allow, with refs that edges can name. */
export const anySbom: fc.Arbitrary<Sbom> = fc
  .uniqueArray(fc.oneof(purl, filledText), { minLength: 1, maxLength: 5 })
  .chain((refs) =>
    fc
      .record({
        subject: fc
          .record({
            kind: fc.constantFrom<Sbom["subject"]["kind"]>("image", "directory", "archive", "file", "artifact"),
            name: hostileText,
            version: maybe(hostileText),
            digest: maybe(digest),
          })
          .map(present),
        root: fc.constantFrom(...refs),
        components: fc.tuple(
          ...refs.map((ref) => component.map((parts) => ({ ref, ...parts }) as unknown as Component)),
        ),
        dependencies: fc.uniqueArray(
          fc.record({ from: fc.constantFrom(...refs), to: fc.subarray([...refs]) }) as fc.Arbitrary<DependencyEdges>,
          { selector: ({ from }) => from, maxLength: 5 },
        ),
        distribution: maybe(distribution),
        layers: fc.array(digest, { maxLength: 2 }),
        losses: fc.array(fc.record({ path: hostileText, code: hostileText, message: hostileText }), { maxLength: 2 }),
        unowned: maybe(
          fc.array(fc.record({ path: hostileText, digest: maybe(digest), layer: maybe(digest) }).map(present), {
            maxLength: 2,
          }),
        ),
        files: maybe(fc.record({ seen: fc.nat(), catalogued: fc.nat() })),
        created: maybe(
          fc.constantFrom("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+02:00", "1970-01-01T00:00:00Z", "yesterday"),
        ),
        tools: fc.array(
          fc.record({ name: hostileText, version: hostileText, vendor: maybe(hostileText) }).map(present),
          { maxLength: 2 },
        ),
      })
      .map((sbom) => {
        const whole = present(sbom) as unknown as Sbom;
        return {
          ...whole,
          components: orderedComponents(
            whole.components.map((each) => (each.ref === whole.root ? withoutSha256(each) : each)),
          ),
          dependencies: orderedEdges(whole.dependencies),
        };
      }),
  );

/** Without the members that are undefined: in our types a member is there, or is not. */
function present<Whole extends object>(whole: Whole): Whole {
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)) as Whole;
}

/** The digest of the subject stands in the subject alone: a root with another one would deny it. */
function withoutSha256(root: Component): Component {
  return { ...root, hashes: root.hashes.filter(({ algorithm }) => algorithm !== "sha256") };
}
