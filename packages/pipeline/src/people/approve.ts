import type { KeyObject } from "node:crypto";
import type { Digest } from "@touchmark/core";
import { type Approval, statementOf, subjectOf } from "@touchmark/formats/predicates";
import type { AttestReport } from "../attest.ts";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { userNamed } from "./enrolment.ts";
import { peopleErrors } from "./errors.ts";
import { signForUser } from "./sign-as-user.ts";

/** What a person approves, and as what. */
export interface ApprovalRequest {
  readonly artifact: { readonly name: string; readonly digest: Digest };
  readonly user: string;
  readonly key: KeyObject;
  /** One in which the person is enrolled. */
  readonly role: string;
  /** Default `approved`. */
  readonly decision?: Approval["decision"];
  /** Default: for all. */
  readonly environment?: string;
  readonly reason?: string;
  readonly expires?: Date;
}

/** Signs a person's approval of an artifact with the person's own key. @throws USER_ROLE_MISSING and as `signAsUser` */
export async function approveArtifact(factory: Factory, request: ApprovalRequest): Promise<AttestReport> {
  const { artifact, user: name, role, environment, reason, expires } = request;
  const user = await userNamed(factory, name);
  if (!user.roles.includes(role)) {
    throw peopleErrors.make(
      "USER_ROLE_MISSING",
      `expected one of the roles of ${name} (${user.roles.join(", ")}), found ${JSON.stringify(role.slice(0, 80))}`,
    );
  }
  const at = timeOf(factory.clock.now());
  const approval: Approval = {
    ...{ run: "people", createdAt: at, predecessors: [] },
    ...{ user: name, role, decision: request.decision ?? "approved" },
    ...(environment === undefined ? {} : { environment }),
    ...(reason === undefined ? {} : { reason }),
    approvedAt: at,
    ...(expires === undefined ? {} : { expires: timeOf(expires) }),
  };
  const statement = statementOf("approval", [subjectOf(artifact.name, artifact.digest)], approval);
  return signForUser(factory, name, request.key, statement);
}
