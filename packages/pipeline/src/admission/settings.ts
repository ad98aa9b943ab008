import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type AdmissionSettings, readAdmissionSettings } from "@touchmark/formats/policy";
import { attestId } from "@touchmark/identity";
import { readTrustRoot } from "@touchmark/verify";
import type { Factory } from "../factory.ts";
import { type PolicyFile, readPolicyFiles } from "../policy/policies-in-force.ts";
import type { TrustedParty } from "./evidence-source.ts";

/** A tenant as `admission.yaml` has it, with the files' names resolved. */
export interface TenantSettings {
  readonly name: string;
  readonly namespaces: readonly string[];
  /** Paths of policies and layouts. */
  readonly policies: readonly string[];
  readonly parties: readonly TrustedParty[];
}

/** The settings of a home's admission gate. */
export interface HomeAdmission {
  readonly evidence: NonNullable<AdmissionSettings["evidence"]>;
  readonly breakGlass: { readonly signers: readonly string[]; readonly issuer: string; readonly maxHours: number };
  readonly tenants: readonly TenantSettings[];
  /** Files that were read with them: trust roots. */
  readonly files: readonly string[];
}

const DEFAULT_HOURS = 72;

/** File of the settings. */
export const admissionSettingsPath = (factory: Factory): string => join(factory.home.paths.policy, "admission.yaml");

/** Reads `policy/admission.yaml` of the home; without one there are no tenants, and only `attest` may break the glass. @throws POLICY_DOCUMENT_* | POLICY_FILE_UNREADABLE */
export function homeAdmission(factory: Factory): HomeAdmission {
  const path = admissionSettingsPath(factory);
  const settings = readSettings(path);
  const { trustDomain, issuer } = factory.names();
  const glass = settings["break-glass"];
  const at = (file: string): string => resolve(dirname(path), file);
  return {
    evidence: settings.evidence ?? {},
    breakGlass: {
      issuer,
      signers:
        glass === undefined
          ? [attestId(trustDomain)]
          : glass.signers.map((name) => `spiffe://${trustDomain}/${name.replace(/^\//, "")}`),
      maxHours: glass?.["max-hours"] ?? DEFAULT_HOURS,
    },
    tenants: (settings.tenants ?? []).map(({ name, namespaces, policies, trust }) => ({
      ...{ name, namespaces, policies: policies.map(at) },
      parties: trust.map((party) => partyOf(party, at)),
    })),
    files: (settings.tenants ?? []).flatMap(({ trust }) => trust.map((party) => at(party["trust-root"]))),
  };
}

type PartySettings = NonNullable<AdmissionSettings["tenants"]>[number]["trust"][number];

function partyOf(party: PartySettings, at: (file: string) => string): TrustedParty {
  const [file] = readPolicyFiles([at(party["trust-root"])]);
  const trustRoot = (file as PolicyFile).bytes;
  // What cannot be read is said at the start, not at the first question.
  readTrustRoot(trustRoot);
  const { issuers, builder, sources } = party;
  return {
    ...{ trustRoot, issuers },
    ...(builder === undefined ? {} : { builder }),
    ...(sources === undefined ? {} : { sources }),
  };
}

function readSettings(path: string): AdmissionSettings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { touchmark: "admission/v1" };
    throw cause;
  }
  return readAdmissionSettings(text, path);
}
