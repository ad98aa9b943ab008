import { join } from "node:path";
import type { AdvisoryDatabase } from "@touchmark/advisories";
import { type Clock, type FactoryError, rfc3339 } from "@touchmark/core";
import { coversPackage } from "@touchmark/formats/package-url";
import type { ProjectGate } from "@touchmark/formats/pipeline";
import {
  type CredentialKeeper,
  credentialKeeper,
  decide,
  type EvidenceTrust,
  gateRefusal,
  gatherEvidence,
  gitWants,
  type MaterialsConfiguration,
  type Mirror,
  needsAnnouncement,
  openMirror,
  openPackageMemory,
  type PackageMemory,
  packageOf,
  readEvidenceTrust,
  type SessionSettings,
  seenStateIn,
  tighten,
  type UpstreamSettings,
  upstreamClient,
  upstreamSettings,
  withHostDebian,
} from "@touchmark/materials";
import type { Factory } from "../factory.ts";
import { inspections } from "./inspections.ts";
import { factoryReviews } from "./reviews.ts";
import { userConfiguration } from "./user-configuration.ts";

/** Most bytes of a file that a session asks for itself: an index, a signature. */
const MAX_SMALL_BYTES = 64 * 1024 * 1024;

/** What the fetch steps of one run share: the user's configuration, the mirror, and how the outside is reached. */
export interface RunMaterials {
  readonly clock: Clock;
  readonly offline: boolean;
  /** The user's, tightened by the project's. */
  readonly configuration: MaterialsConfiguration;
  readonly mirror: Mirror;
  readonly memory: PackageMemory;
  readonly upstreamSettings: UpstreamSettings;
  /** The user's secrets: here, and never in a step. */
  readonly credentials: CredentialKeeper;
  /** The parts of a session that are the same for every step. */
  session(step: string): SharedParts;
  close(): Promise<void>;
}

/** What the advisory data says of a package; nothing is loaded where there is none. */
async function vulnerabilitiesOf({ advisories }: MaterialsRequest, purl: string, clock: Clock) {
  const database = await advisories();
  if (database === undefined) return {};
  const { knownVulnerabilities } = await import("../analysis/package-sbom.ts");
  return { vulnerabilities: knownVulnerabilities(database, purl, clock.now()) };
}

type SharedParts = Omit<SessionSettings, "step" | "clock" | "offline" | "upstreams" | "locks" | "adapters" | "mirror">;

/** How a run asks for its materials. */
export interface MaterialsRequest {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  /** False when whoever asked is not trusted with secrets. */
  readonly trusted: boolean;
  /** Rules that the project adds. */
  readonly project: ProjectGate;
  readonly note: (text: string) => void;
  /** The advisory data of this factory; undefined where there is none. */
  readonly advisories: () => Promise<AdvisoryDatabase | undefined>;
}

/** Opens mirror, configuration and trust for the fetch steps of a run. @throws MATERIALS_CONFIG_* | GATE_LOOSENED | MIRROR_* */
export async function openRunMaterials(factory: Factory, request: MaterialsRequest): Promise<RunMaterials> {
  const { clock, home, content } = factory;
  const user = await userConfiguration(factory, request.environment, request.note);
  const configuration = tighten(user, request.project);
  const { gate } = configuration;
  const directory = home.paths.materials;
  const mirror = await openMirror({ directory, content, clock });
  const memory = openPackageMemory(directory);
  const settings = upstreamSettings(request.environment);
  const client = upstreamClient(settings);
  const evidence = { trust: trustOf(configuration), seen: seenStateIn(join(directory, "upstreams")), clock };
  const reviews = await factoryReviews(factory, configuration);
  const credentials = credentialKeeper(configuration, request.environment, clock);
  for (const { credential, message } of await credentials.findings())
    request.note(`credential ${credential}: ${message}`);
  // What an index announces may not lead into private networks; what the user configured may lie there.
  const configured = new Set(
    Object.values(gate.upstreams)
      .flat()
      .map(({ url }) => new URL(url).origin),
  );
  const inspect = inspections(home.paths.cache, gate.sizes);
  return {
    ...{ clock, offline: request.offline, configuration, mirror, memory, credentials, upstreamSettings: settings },
    session: (step) => ({
      decide: (candidate) => decide(gate, candidate),
      refusal: (decision) => gateRefusal(decision) as FactoryError,
      inspect,
      gather: (asked) => gatherEvidence(asked, evidence),
      wants: gitWants,
      context: async ({ ecosystem, purl, version }) => ({
        known: memory.knownNames(ecosystem),
        ...(purl === undefined || version === undefined ? {} : await vulnerabilitiesOf(request, purl, clock)),
        ...(purl === undefined
          ? {}
          : {
              history: memory.historyOf(packageOf(purl)),
              reviews: reviews.filter((each) => coversPackage(each.packages, purl)),
            }),
      }),
      admitted: async ({ record, announced, evidence: vouching, archive }) => {
        const { purl, version, upstream } = record.facts;
        if (purl === undefined || version === undefined) return;
        const publisher = announced.find((each) => each.publisher !== undefined)?.publisher;
        memory.remember(packageOf(purl), {
          ...(publisher === undefined ? {} : { publisher }),
          ...{ version, upstream, admittedAt: rfc3339(clock.now()) },
          evidence: vouching.filter((each) => each.outcome === "verified").map((each) => each.kind),
          installScripts: (archive?.installScripts.length ?? 0) > 0,
        });
      },
      mayAsk: async (url, { ecosystem }) => {
        if (request.trusted) return;
        const purpose = ecosystem === "git" ? "git" : "fetch";
        await credentials.headersFor({ url, purpose, step, trusted: false });
      },
      credentials: async (url, { ecosystem }, redirectedFrom) => {
        const purpose = ecosystem === "git" ? "git" : "fetch";
        const from = redirectedFrom === undefined ? {} : { redirectedFrom };
        return (await credentials.headersFor({ url, purpose, step, trusted: request.trusted, ...from }))?.headers ?? {};
      },
      // As large as the largest index that is read: a lockfile without digests makes the session ask for indexes itself.
      get: (url, headers) =>
        client.get(url, headers, { allowPrivate: configured.has(url.origin), maxBytes: MAX_SMALL_BYTES }),
      needsIndex: needsAnnouncement(gate),
      maxBytes: Math.max(gate.sizes.archiveBytes, gate.sizes.indexBytes),
      redact: (text) => credentials.redactor.text(text),
    }),
    close: async () => {
      memory.save();
      client.close();
      await mirror.close();
    },
  };
}

/** What the user trusts others for. The keyrings that apt itself goes by count where none is named. */
function trustOf({ trust }: MaterialsConfiguration): EvidenceTrust {
  return withHostDebian(readEvidenceTrust(trust));
}
