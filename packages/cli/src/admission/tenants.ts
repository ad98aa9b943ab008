import {
  evidenceCache,
  type LiveDocuments,
  liveDocuments,
  type Permission,
  permissionFor,
  permissionsIn,
  type RefusedPermission,
  type Tenant,
  type TenantTable,
  tenantTable,
} from "@touchmark/admission";
import type { Digest } from "@touchmark/core";
import { type Clock, canonicalJson, sha256 } from "@touchmark/core";
import type { openFactory } from "@touchmark/pipeline";
import {
  type AdmissionEvidence,
  admissionEvidence,
  admissionStamp,
  type DecisionRecords,
  deployInput,
  type HomeAdmission,
  homeAdmission,
  keptBreakGlass,
  policyStamp,
  type RegistryPlaces,
  type TenantSettings,
} from "@touchmark/pipeline/admission";
import { type PoliciesInForce, policiesInForce, readPolicyFiles } from "@touchmark/pipeline/policy";
import { type Decision, type DecisionInput, decide } from "@touchmark/policy";

type Factory = Awaited<ReturnType<typeof openFactory>>;

/** What tenants are made from. */
export interface TenantParts {
  readonly factory: Factory;
  readonly clock: Clock;
  readonly places: RegistryPlaces;
  /** Policies of the command line, which take the place of those of the home; of no tenant. */
  readonly files?: readonly string[];
  /** Modules of rules in Rego, by digest. */
  readonly modules?: ReadonlyMap<Digest, Uint8Array>;
  /** Undefined: nothing is recorded. */
  readonly records?: DecisionRecords;
  readonly manifestOf?: (digest: Digest) => Digest | undefined;
  /** Decides elsewhere, within a deadline and a memory limit. Default: here. */
  readonly evaluate?: (input: DecisionInput, signal: AbortSignal) => Promise<Decision>;
  readonly onProblem: (message: string) => void;
}

/** Permissions and settings of a home, as they are at this moment. */
export interface HomeState {
  readonly settings: HomeAdmission;
  readonly permissions: readonly Permission[];
  readonly refused: readonly RefusedPermission[];
  readonly table: TenantTable;
  /** Policies that decide for a tenant at deployment. */
  policyNames(tenant: string): Promise<PolicyNames>;
}

/** Which policies are in force. */
export interface PolicyNames {
  readonly origin: PoliciesInForce["origin"];
  readonly names: readonly string[];
}

/** A tenant whose policies follow their files. */
interface OpenTenant extends Tenant {
  readonly policies: LiveDocuments<PoliciesInForce>;
}

/** What tenants ask of their home at each question. */
interface StandingHome {
  problem(): string | undefined;
  /** None while something of the settings cannot be read. */
  permissions(): Promise<readonly Permission[]>;
}

/** Tenants of a home, made anew when its settings change; who did not change keeps what is known. @throws what the first reading throws */
export async function openTenants(parts: TenantParts): Promise<LiveDocuments<HomeState>> {
  const { factory, onProblem } = parts;
  let known = new Map<string, OpenTenant>();
  let named: readonly string[] = [];
  let home: LiveDocuments<HomeState> | undefined;
  const standing = {
    problem: () => home?.problem(),
    async permissions() {
      const { permissions } = (await home?.current()) ?? { permissions: [] };
      // One that was ended must not count because something else cannot be read.
      return home?.problem() === undefined ? permissions : [];
    },
  };
  home = await liveDocuments({
    stamp: () => admissionStamp(factory, named),
    onProblem,
    load: async () => {
      const settings = homeAdmission(factory);
      named = settings.files;
      const kept = await keptBreakGlass(factory);
      const { permissions, refused } = permissionsIn(kept.statements, settings.breakGlass);
      const open = new Map<string, OpenTenant>();
      const make = async (tenant: TenantSettings | undefined): Promise<Tenant> => {
        const key = sha256(canonicalJson({ evidence: settings.evidence, tenant: shown(tenant) }));
        const found = known.get(key) ?? (await openTenant(parts, settings, tenant, standing));
        open.set(key, found);
        return found;
      };
      const own = await make(undefined);
      const rows = [];
      for (const each of settings.tenants) rows.push({ namespaces: each.namespaces, tenant: await make(each) });
      known = open;
      return {
        ...{ settings, permissions, refused: [...kept.refused, ...refused], table: tenantTable(own, rows) },
        policyNames: (name) => namesOf([...open.values()].find((each) => each.name === name)),
      };
    },
  });
  return home;
}

async function namesOf(tenant: OpenTenant | undefined): Promise<PolicyNames> {
  if (tenant === undefined) throw new TypeError("a tenant that is not there was asked for its policies");
  const { origin, policies } = await tenant.policies.current();
  const own = policies.filter(({ document }) => document.point === "deploy");
  return {
    origin,
    names: own.map(({ document: { name, version, mode } }) => `${name} ${version} (${mode ?? "enforce"})`),
  };
}

/** A tenant's settings as JSON: what it is known by. */
const shown = (tenant: TenantSettings | undefined) =>
  tenant === undefined
    ? null
    : { ...tenant, parties: tenant.parties.map((each) => ({ ...each, trustRoot: sha256(each.trustRoot) })) };

async function openTenant(
  parts: TenantParts,
  { evidence: limits }: HomeAdmission,
  settings: TenantSettings | undefined,
  home: StandingHome,
): Promise<OpenTenant> {
  const { factory, clock, places, records, manifestOf, modules, onProblem } = parts;
  const files = settings?.policies ?? parts.files;
  const policies = await liveDocuments({
    stamp: () => policyStamp(factory, files),
    load: () => readPolicies(factory, files),
    onProblem,
  });
  const source: AdmissionEvidence = admissionEvidence({
    ...{ factory, places, keep: records !== undefined },
    ...(settings === undefined ? {} : { parties: settings.parties }),
    ...(manifestOf === undefined ? {} : { manifestOf }),
  });
  const cache = evidenceCache({
    ...{ source, clock, trustRoot: source.trustRoot },
    ...seconds("maxAgeMs", limits["max-age-seconds"]),
    ...seconds("keepMs", limits["keep-seconds"]),
    ...seconds("lookupMs", limits["lookup-seconds"]),
    ...(limits.parallel === undefined ? {} : { parallel: limits.parallel }),
    ...(limits.entries === undefined ? {} : { entries: limits.entries }),
  });
  const issuer = settings?.parties[0]?.issuers[0];
  const name = settings?.name ?? "factory";
  return {
    ...{ name, policies, evidence: cache },
    async decide({ subject, request, evidence, now, signal, dryRun }) {
      const input = deployInput(factory, await policies.current(), {
        ...{ subject, request, evidence, now },
        ...(issuer === undefined ? {} : { issuer }),
      });
      const question = modules === undefined ? input : { ...input, modules };
      const decision = await (parts.evaluate ?? decideHere)(question, signal);
      if (!dryRun) records?.keep(input, decision);
      return decision;
    },
    async breakGlass(digest, namespace, now) {
      return permissionFor(await home.permissions(), digest, namespace, now);
    },
    problems: () => [policies.problem(), home.problem()].filter((each) => each !== undefined),
  };
}

const decideHere = async (input: DecisionInput): Promise<Decision> => decide(input);

/** Those of the home, or of files; a file that says nothing at all is no policy, so that nothing is allowed by it. */
function readPolicies(factory: Factory, files: readonly string[] | undefined): Promise<PoliciesInForce> {
  if (files === undefined) return policiesInForce(factory);
  const given = readPolicyFiles(files).filter(({ bytes }) => Buffer.from(bytes).toString("utf8").trim() !== "");
  return policiesInForce(factory, { files: given });
}

function seconds<Name extends string>(name: Name, value: number | undefined): { readonly [K in Name]?: number } {
  return (value === undefined ? {} : { [name]: value * 1000 }) as { readonly [K in Name]?: number };
}
