import { identityErrors } from "./errors.ts";

const trustDomainShape = /^(?=.{1,64}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const segmentShape = /^[A-Za-z0-9._-]+$/;

/**
 * Which part of the factory holds an identity, and therefore what it may ask for. `people` certifies keys of enrolled
 * users, `deploy` signs that something was deployed to an environment.
 */
export type FactoryRole = "factory" | "attest" | "people" | "deploy";

/**
 * Checks a trust domain: a lower-case host name of at most 64 characters. Narrower than the SPIFFE standard,
 * because the name stands in X.509 name constraints and as an organisation too.
 * @throws TRUST_DOMAIN_INVALID
 */
export function parseTrustDomain(text: string): string {
  if (!trustDomainShape.test(text) || /^[0-9.]+$/.test(text)) {
    throw identityErrors.make(
      "TRUST_DOMAIN_INVALID",
      `expected a lower-case host name, found ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return text;
}

/** A SPIFFE id (SPIFFE-ID section 2), taken apart. */
export interface SpiffeId {
  readonly trustDomain: string;
  /** Path segments, never empty. */
  readonly segments: readonly string[];
}

/** Reads a SPIFFE id strictly. @throws SPIFFE_ID_INVALID */
export function parseSpiffeId(text: string): SpiffeId {
  const match = /^spiffe:\/\/([^/]+)\/(.+)$/.exec(text);
  const segments = match?.[2]?.split("/") ?? [];
  if (
    match === null ||
    text.length > 2048 ||
    !trustDomainShape.test(match[1] as string) ||
    segments.some((segment) => !segmentShape.test(segment) || segment === "." || segment === "..")
  ) {
    throw identityErrors.make(
      "SPIFFE_ID_INVALID",
      `expected spiffe://<trust domain>/<path>, found ${JSON.stringify(text.slice(0, 200))}`,
    );
  }
  return { trustDomain: match[1] as string, segments };
}

/** The id of a step: `spiffe://TD/project/P/pipeline/L/step/S`. @throws SPIFFE_ID_INVALID */
export function stepId(trustDomain: string, project: string, pipeline: string, step: string): string {
  const id = `spiffe://${trustDomain}/project/${project}/pipeline/${pipeline}/step/${step}`;
  if (parseSpiffeId(id).segments.length !== 6) {
    throw identityErrors.make("SPIFFE_ID_INVALID", `expected names without a slash, found ${JSON.stringify(id)}`);
  }
  return id;
}

/** The id of the builder: `spiffe://TD/builder`. */
export const builderId = (trustDomain: string): string => `spiffe://${trustDomain}/builder`;
/** The id of the node: `spiffe://TD/node`. */
export const nodeId = (trustDomain: string): string => `spiffe://${trustDomain}/node`;
/** The id of the factory's registry: `spiffe://TD/registry`. */
export const registryId = (trustDomain: string): string => `spiffe://${trustDomain}/registry`;
/** The id of the admission service: `spiffe://TD/admission`. */
export const admissionId = (trustDomain: string): string => `spiffe://${trustDomain}/admission`;
/** The id of the command that signs further predicates: `spiffe://TD/attest`. */
export const attestId = (trustDomain: string): string => `spiffe://${trustDomain}/attest`;

/** The id of a person: `spiffe://TD/user/NAME`. @throws SPIFFE_ID_INVALID */
export const userId = (trustDomain: string, name: string): string => namedId(trustDomain, "user", name);
/** The id of what deploys to an environment: `spiffe://TD/environment/NAME`. @throws SPIFFE_ID_INVALID */
export const environmentId = (trustDomain: string, name: string): string => namedId(trustDomain, "environment", name);

function namedId(trustDomain: string, kind: string, name: string): string {
  const id = `spiffe://${trustDomain}/${kind}/${name}`;
  if (parseSpiffeId(id).segments.length !== 2) {
    throw identityErrors.make("SPIFFE_ID_INVALID", `expected a name without a slash, found ${JSON.stringify(name)}`);
  }
  return id;
}

const pathsOf: Readonly<Record<FactoryRole, readonly (readonly string[])[]>> = {
  factory: [["builder"], ["node"], ["registry"], ["admission"], ["project", "*", "pipeline", "*", "step", "*"]],
  attest: [["attest"]],
  people: [["user", "*"]],
  deploy: [["environment", "*"]],
};

/**
 * Refuses an id outside the trust domain, or with a path that is not the role's own: the factory may be builder, node,
 * registry or a step, `attest` only itself, `people` users, `deploy` environments; none what another may be.
 * @throws SPIFFE_ID_INVALID | IDENTITY_FOREIGN | IDENTITY_NOT_PERMITTED
 */
export function assertMayIssue(role: FactoryRole, trustDomain: string, spiffeId: string): void {
  const id = parseSpiffeId(spiffeId);
  if (id.trustDomain !== trustDomain) {
    throw identityErrors.make("IDENTITY_FOREIGN", `expected trust domain ${trustDomain}, found ${id.trustDomain}`);
  }
  const allowed = pathsOf[role];
  const matches = (path: readonly string[]): boolean =>
    path.length === id.segments.length && path.every((part, i) => part === "*" || part === id.segments[i]);
  if (!allowed.some(matches)) {
    throw identityErrors.make(
      "IDENTITY_NOT_PERMITTED",
      `${role} may be ${allowed.map((path) => `/${path.join("/")}`).join(" or ")}, found /${id.segments.join("/")}`,
    );
  }
}
