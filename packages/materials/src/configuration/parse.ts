import { dirname, resolve } from "node:path";
import { canonicalJson, type FactoryError, sha256 } from "@touchmark/core";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import {
  type MaterialsDocument,
  materialsDocument,
  nearestName,
  PipelineFileError,
  Problems,
  parseBytes,
  readYaml,
  type YamlReading,
} from "@touchmark/formats/pipeline";
import { defaultRules, type GateException, type GateRules } from "../gate/rules.ts";
import { gateRules } from "../gate/table.ts";
import type { Upstream } from "../material.ts";
import type { CredentialBinding, CredentialForm, CredentialSource, MaterialsConfiguration } from "./configuration.ts";
import { type MaterialsConfigurationCode, materialsConfigurationErrors } from "./errors.ts";
import { parseAge, parseMoment } from "./moment.ts";
import { upstreamAddress } from "./upstream-address.ts";

/**
 * Reads `materials.yaml` strictly: line and column of each problem, and the nearest valid name. Paths in it are
 * relative to the file. SPEC K1-K4.
 * @throws MATERIALS_CONFIG_*
 */
export function parseMaterialsConfiguration(text: string, fileName: string): MaterialsConfiguration {
  let reading: YamlReading;
  let document: MaterialsDocument;
  try {
    reading = readYaml(text, fileName);
    const problems = new Problems(fileName, reading);
    const checked = materialsDocument.safeParse(reading.value);
    if (!checked.success) {
      problems.addIssues(checked.error.issues);
      problems.throwIfAny();
      throw checked.error;
    }
    document = checked.data;
  } catch (cause) {
    throw cause instanceof PipelineFileError ? ownError(cause) : cause;
  }
  const fail = failAt(reading, fileName);
  const upstreams = defineUpstreams(document, fail);
  const credentials = Object.entries(document.credentials ?? {}).map(([name, written]) =>
    defineCredential(name, written, dirname(fileName), fail),
  );
  return {
    fileName,
    digest: sha256(text),
    gate: { ...defineGate(document.gate ?? {}, fail), upstreams: upstreams.byEcosystem },
    insecureHttp: upstreams.insecureHttp,
    upstreamCredentials: upstreams.credentials,
    credentials,
    trust: Object.fromEntries(
      Object.entries(document.trust ?? {}).map(([purpose, files]) => [
        purpose,
        (files ?? []).map((file) => resolve(dirname(fileName), file)),
      ]),
    ),
  };
}

type Fail = (code: MaterialsConfigurationCode, path: readonly (string | number)[], message: string) => never;

function failAt(reading: YamlReading, fileName: string): Fail {
  return (code, path, message) => {
    const { line, column } = reading.locate(path);
    throw materialsConfigurationErrors.make(code, `${fileName}:${line}:${column}: ${path.join(".")}: ${message}`);
  };
}

/** The same lines under a code of this document. */
function ownError(error: PipelineFileError): FactoryError {
  const code =
    error.code === "PIPELINE_KEY_UNKNOWN"
      ? "MATERIALS_CONFIG_KEY_UNKNOWN"
      : error.code === "PIPELINE_VALUE_INVALID" ||
          error.code === "PIPELINE_NAME_INVALID" ||
          error.code === "PIPELINE_VERSION_UNKNOWN"
        ? "MATERIALS_CONFIG_VALUE_INVALID"
        : "MATERIALS_CONFIG_MALFORMED";
  return materialsConfigurationErrors.make(code, error.message, { cause: error });
}

function defineUpstreams(document: MaterialsDocument, fail: Fail) {
  const byEcosystem: { [E in Ecosystem]?: Upstream[] } = {};
  const credentials: Record<string, string> = {};
  const insecureHttp: string[] = [];
  const taken = new Set<string>();
  const known = Object.keys(document.credentials ?? {});
  for (const [ecosystem, written] of Object.entries(document.upstreams) as [
    Ecosystem,
    NonNullable<MaterialsDocument["upstreams"][Ecosystem]>,
  ][]) {
    byEcosystem[ecosystem] = written.map((each, order): Upstream => {
      const path = ["upstreams", ecosystem, order];
      if (taken.has(each.name)) {
        fail(
          "MATERIALS_CONFIG_VALUE_INVALID",
          [...path, "name"],
          `expected a name of its own, found ${each.name} twice`,
        );
      }
      taken.add(each.name);
      const address = upstreamAddress(each.url);
      if ("fault" in address) return fail("MATERIALS_CONFIG_URL_INVALID", [...path, "url"], address.fault);
      // Debian's indexes are signed, and its mirrors are asked over http by custom.
      if (address.isPlain && !address.isLoopback && ecosystem !== "deb") {
        if (each["insecure-http"] !== true) {
          fail("MATERIALS_CONFIG_URL_INSECURE", [...path, "url"], "expected an https address, found plain http");
        }
        insecureHttp.push(each.name);
      }
      if (each.credential !== undefined) {
        if (!known.includes(each.credential)) {
          const near = nearestName(each.credential, known);
          const meant = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
          const message = `expected a name below credentials, found ${JSON.stringify(each.credential)}${meant}`;
          fail("MATERIALS_CONFIG_VALUE_INVALID", [...path, "credential"], message);
        }
        credentials[each.name] = each.credential;
      }
      const { suites, components, keyring } = each;
      return {
        ...{ name: each.name, ecosystem, url: address.url, exclusive: each.exclusive ?? [], order },
        ...(suites === undefined ? {} : { suites }),
        ...(components === undefined ? {} : { components }),
        ...(keyring === undefined ? {} : { keyring }),
      };
    });
  }
  return { byEcosystem, credentials, insecureHttp };
}

type WrittenGate = NonNullable<MaterialsDocument["gate"]>;

function defineGate(written: WrittenGate, fail: Fail): Omit<GateRules, "upstreams"> {
  const base = defaultRules;
  const ruleNames = gateRules.map((rule) => rule.id);
  const exceptions = (written.exceptions ?? []).map((each, i): GateException => {
    const rule = gateRules.find((known) => known.id === each.rule);
    if (!rule || rule.exceptable === "never") {
      const near = nearestName(each.rule, ruleNames);
      const meant = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
      const message = rule
        ? `expected a rule that has exceptions, found ${each.rule}`
        : `expected a rule, found ${JSON.stringify(each.rule)}${meant}`;
      fail("MATERIALS_CONFIG_VALUE_INVALID", ["gate", "exceptions", i, "rule"], message);
    }
    const exception = { ...each, expires: parseMoment(each.expires) };
    return { ...exception, digest: sha256(canonicalJson(exception)) };
  });
  const asOf = written["as-of"];
  return {
    unlocked: { ...base.unlocked, ...written.unlocked },
    lockedDigest: written["locked-digest"] ?? base.lockedDigest,
    denied: (written.denied ?? []).map((each) => ({ packages: each.package, reason: each.reason })),
    ...(asOf === undefined ? {} : { asOf: parseMoment(asOf) }),
    minimumAge: { seconds: parseAge(written["minimum-age"] ?? "0s"), except: written["minimum-age-except"] ?? [] },
    lookalike: {
      mode: written.lookalike ?? base.lookalike.mode,
      names: written["known-names"] ?? [],
      protected: [],
      except: written["lookalike-except"] ?? [],
    },
    installScripts: {
      mode: written["install-scripts"] ?? base.installScripts.mode,
      allowed: written["install-scripts-allowed"] ?? [],
    },
    requiredEvidence: written["required-evidence"] ?? [],
    licence: {
      ...(written["licence-allowed"] === undefined ? {} : { allowed: written["licence-allowed"] }),
      denied: written["licence-denied"] ?? [],
    },
    ...(written.vulnerabilities === undefined ? {} : { vulnerabilities: written.vulnerabilities }),
    newPublisher: written["new-publisher"] ?? base.newPublisher,
    vanishedEvidence: written["vanished-evidence"] ?? base.vanishedEvidence,
    withdrawn: written.withdrawn ?? base.withdrawn,
    thirdPartyReview: {
      required: written["third-party-review"] ?? base.thirdPartyReview.required,
      parties: written["review-parties"] ?? base.thirdPartyReview.parties,
    },
    chatter: written.chatter ?? base.chatter,
    sizes: sizesOf(written.sizes, base.sizes),
    exceptions,
  };
}

/** Limits as written, the others as they were. */
export function sizesOf(written: WrittenGate["sizes"], base: GateRules["sizes"]): GateRules["sizes"] {
  const amount = (given: string | undefined, other: number) =>
    given === undefined ? other : (parseBytes(given) ?? other);
  return {
    archiveBytes: amount(written?.archive, base.archiveBytes),
    indexBytes: amount(written?.index, base.indexBytes),
    unpackedBytes: amount(written?.unpacked, base.unpackedBytes),
    files: written?.files ?? base.files,
    ratio: written?.ratio ?? base.ratio,
  };
}

type WrittenCredential = NonNullable<MaterialsDocument["credentials"]>[string];

function defineCredential(name: string, written: WrittenCredential, base: string, fail: Fail): CredentialBinding {
  const path = ["credentials", name];
  return {
    name,
    host: written.host.toLowerCase(),
    purpose: written.purpose,
    steps: written.steps,
    form: formOf(written, path, fail),
    from: sourceOf(written, base, path, fail),
    ...(written.expires === undefined ? {} : { expires: parseMoment(written.expires) }),
  };
}

function formOf(written: WrittenCredential, path: string[], fail: Fail): CredentialForm {
  const { form = "bearer", user, header } = written;
  if ((form === "basic") !== (user !== undefined)) {
    fail("MATERIALS_CONFIG_VALUE_INVALID", path, "expected `user` exactly with the form basic");
  }
  if ((form === "header") !== (header !== undefined)) {
    fail("MATERIALS_CONFIG_VALUE_INVALID", path, "expected `header` exactly with the form header");
  }
  if (form === "basic") return { kind: "basic", user: user ?? "" };
  return form === "header" ? { kind: "header", name: (header ?? "").toLowerCase() } : { kind: "bearer" };
}

function sourceOf(written: WrittenCredential, base: string, path: string[], fail: Fail): CredentialSource {
  const { file, environment, keyring, command } = written.from;
  const given = Object.values(written.from).filter((each) => each !== undefined).length;
  if (given !== 1) {
    const message = `expected exactly one of file, environment, keyring and command, found ${given}`;
    fail("MATERIALS_CONFIG_VALUE_INVALID", [...path, "from"], message);
  }
  if (file !== undefined) return { kind: "file", path: resolve(base, file) };
  if (environment !== undefined) return { kind: "environment", name: environment };
  if (keyring !== undefined) return { kind: "keyring", attributes: keyring };
  const [program = "", ...words] = command ?? [];
  if (!program.startsWith("/")) {
    const message = `expected the absolute path of a program, found ${JSON.stringify(program)}`;
    fail("MATERIALS_CONFIG_VALUE_INVALID", [...path, "from", "command"], message);
  }
  return { kind: "command", program, words };
}
