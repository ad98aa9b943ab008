import { readFile } from "node:fs/promises";
import {
  type AdmissionGate,
  admissionGate,
  type EvaluationPool,
  type EvidenceCacheState,
  evaluationPool,
  type Permission,
  type RefusedPermission,
} from "@touchmark/admission";
import { type Digest, fixedClock, sha256, systemClock } from "@touchmark/core";
import { openFactory } from "@touchmark/pipeline";
import {
  type DecisionRecords,
  decisionRecords,
  homeAdmission,
  keepBreakGlassUse,
  proofBytes,
} from "@touchmark/pipeline/admission";
import { explainTree } from "@touchmark/policy";
import type { RegistryClientOptions } from "@touchmark/registry";
import { cliErrors } from "../errors.ts";
import { openPlaces } from "./own-places.ts";
import { openTenants, type PolicyNames } from "./tenants.ts";

/** How to open the admission gate of this factory. */
export interface OpenAdmissionOptions {
  /** Paths of policies, in place of those of the home. */
  readonly files?: readonly string[];
  /** Paths of modules that rules in Rego name by digest. They are judged in threads alone. */
  readonly modules?: readonly string[];
  /** Decides as of this time. */
  readonly at?: Date;
  /** True: decisions are recorded, with the bundles that they rest on. */
  readonly record: boolean;
  /** Decisions at once in threads of their own, each within a deadline and a memory limit. Default 0: in this one. */
  readonly threads?: number;
  /** How long a decision may take in a thread. Default: as long as the pool says. */
  readonly deadlineMs?: number;
  readonly registries?: RegistryClientOptions;
  /** The manifest that lists the evidence of a file of an artifact in a registry. */
  readonly manifestOf?: (digest: Digest) => Digest | undefined;
  /** Told of every use of a break-glass permission that is no dry run. */
  readonly onBreakGlass?: (line: string) => void;
  /** Told of what cannot be used, for example new policies that cannot be read. */
  readonly onProblem?: (message: string) => void;
}

/** The gate of this factory, wired: policies in force, evidence, tenants, break-glass. */
export interface OpenAdmission {
  readonly gate: AdmissionGate;
  readonly factory: Awaited<ReturnType<typeof openFactory>>;
  /** A decision that was recorded, with what it takes to sign it. */
  readonly kept: DecisionRecords["kept"];
  status(): Promise<AdmissionStatus>;
  close(): Promise<void>;
}

/** How a gate stands, for people and probes. */
export interface AdmissionStatus {
  readonly tenants: readonly {
    readonly name: string;
    readonly evidence: EvidenceCacheState;
    readonly problems: readonly string[];
    /** Policies that decide at deployment. */
    readonly policies: PolicyNames;
  }[];
  readonly breakGlass: { readonly permissions: readonly Permission[]; readonly refused: readonly RefusedPermission[] };
  readonly problem?: string;
}

/** Opens the gate; policies, permissions and tenants follow their files from now on. @throws what reading them at first throws */
export async function openAdmission(options: OpenAdmissionOptions): Promise<OpenAdmission> {
  const { at, files, manifestOf, onBreakGlass, onProblem = () => {} } = options;
  const clock = at === undefined ? systemClock : fixedClock(at);
  const opened = await openFactory({ clock });
  // A home never changes its names, and reading them from its certificates costs more than a decision.
  const names = opened.names();
  const factory = { ...opened, names: () => names, trustRoot: forOneSecond(() => opened.trustRoot()) };
  const places = openPlaces(factory, options.registries ?? {});
  const pool = await openPool(factory, options);
  const close = async (): Promise<void> => {
    await pool?.close();
    await places.close();
    await factory.close();
  };
  const records = options.record ? decisionRecords(factory) : undefined;
  try {
    const modules = await readModules(options.modules ?? []);
    const home = await openTenants({
      ...{ factory, clock, places, onProblem },
      ...(files === undefined ? {} : { files }),
      ...(modules.size === 0 ? {} : { modules }),
      ...(records === undefined ? {} : { records }),
      ...(manifestOf === undefined ? {} : { manifestOf }),
      ...(pool === undefined ? {} : { evaluate: pool.evaluate }),
    });
    const gate = admissionGate({
      ...{ clock, explain: (decision) => explainTree(decision) },
      tenants: async () => (await home.current()).table,
      onVerdict: ({ breakGlass, reference, digest = "" }, { namespace, facts }) => {
        if (breakGlass === undefined) return;
        const { id, by, expires, reason } = breakGlass;
        const user = facts.caller?.name ?? "";
        if (options.record) keepBreakGlassUse(factory, { id, by, reference, digest, namespace: namespace ?? "", user });
        onBreakGlass?.(
          `${id} by ${by} let ${reference} (${digest}) pass in ${namespace ?? "no namespace"} until ${expires}: ${reason}`,
        );
      },
    });
    const status = async (): Promise<AdmissionStatus> => {
      const { table, permissions, refused, policyNames } = await home.current();
      const problem = home.problem();
      return {
        tenants: await Promise.all(
          table.all.map(async ({ name, evidence, problems }) => ({
            ...{ name, evidence: evidence.state(), problems: problems() },
            policies: await policyNames(name),
          })),
        ),
        breakGlass: { permissions, refused },
        ...(problem === undefined ? {} : { problem }),
      };
    };
    return { gate, factory, kept: (decision) => records?.kept(decision), status, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** By the digest that rules name them by. @throws CLI_USAGE for a file that cannot be a module */
async function readModules(paths: readonly string[]): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const modules = new Map<Digest, Uint8Array>();
  for (const path of paths) {
    const bytes = await readFile(path).catch((error: Error) => {
      throw cliErrors.make("CLI_USAGE", `expected a module: ${error.message}`);
    });
    modules.set(sha256(bytes), new Uint8Array(bytes));
  }
  return modules;
}

/** A service decides for others: nobody's rules may hold it up. */
async function openPool(
  factory: OpenAdmission["factory"],
  { threads = 0, deadlineMs }: OpenAdmissionOptions,
): Promise<EvaluationPool | undefined> {
  if (threads === 0) return undefined;
  const parties = () => homeAdmission(factory).tenants.flatMap((each) => each.parties);
  return evaluationPool({
    ...{ threads, bytesOf: (digest) => proofBytes(factory, digest, parties()) },
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
}

const SECOND_MS = 1000;

/** What costs more than a decision to put together, and must be in force within a second. */
function forOneSecond<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  let at = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (made === undefined || now - at > SECOND_MS) {
      made = make();
      // What failed is tried again at once.
      made.catch(() => {
        at = Number.NEGATIVE_INFINITY;
      });
      at = now;
    }
    return made;
  };
}
