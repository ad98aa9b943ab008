import { readFileSync } from "node:fs";
import { arch, hostname, platform, release } from "node:os";
import { type Clock, rfc3339, sha256 } from "@touchmark/core";
import type { Selector } from "@touchmark/formats/predicates";
import type { JoinTokens } from "./join-token.ts";

/** Strength of node evidence, weakest first. TPM, x509pop and Kubernetes attestors give the stronger ones. */
export type NodeEvidenceLabel =
  | "none"
  | "self-claim"
  | "join-token"
  | "x509pop"
  | "tpm-software"
  | "tpm-hardware"
  | "psat";

/** What is known of the node, and what that knowledge is worth. */
export interface NodeEvidence {
  readonly evidence: NodeEvidenceLabel;
  /** RFC 3339. */
  readonly attestedAt: string;
  readonly selectors: readonly Selector[];
  /** What this evidence does not show. */
  readonly limits: readonly string[];
}

/** Attests the machine that a run happens on (ARCHITECTURE, "Interfaces"). */
export interface NodeAttestor {
  attest(): Promise<NodeEvidence>;
}

/**
 * The embedded default: what this machine says of itself. Identifiers are hashed together with the trust domain, so
 * that published evidence does not let anyone follow a machine from one factory to another.
 */
export function selfClaimedNode(options: { readonly trustDomain: string; readonly clock: Clock }): NodeAttestor {
  return {
    attest: async () => ({
      evidence: "self-claim",
      attestedAt: rfc3339(options.clock.now()),
      selectors: nodeFacts(options.trustDomain),
      limits: [
        "The node vouches for itself: whoever controls it controls this statement.",
        "No hardware key, no measured boot, no second machine takes part.",
      ],
    }),
  };
}

/**
 * A node that redeems a join token, which an operator made for it. Redeeming happens once, at the first `attest`.
 * @throws from `attest`: JOIN_TOKEN_UNKNOWN | JOIN_TOKEN_USED | JOIN_TOKEN_EXPIRED
 */
export function joinTokenNode(options: {
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly tokens: JoinTokens;
  readonly token: string;
}): NodeAttestor {
  let redeemed: Selector | undefined;
  return {
    async attest() {
      if (redeemed === undefined) {
        const { id } = options.tokens.redeem(options.token);
        redeemed = { type: "join-token", value: id, label: "join-token" };
      }
      return {
        evidence: "join-token",
        attestedAt: rfc3339(options.clock.now()),
        selectors: [redeemed, ...nodeFacts(options.trustDomain)],
        limits: [
          "The token shows that an operator let this node in once; it shows nothing of the node's state.",
          "All other selectors are the node's own word.",
        ],
      };
    },
  };
}

function nodeFacts(trustDomain: string): Selector[] {
  const claim = (type: string, value: string | undefined): Selector[] =>
    value === undefined ? [] : [{ type, value, label: "self-claim" }];
  const hidden = (value: string | undefined) =>
    value === undefined ? undefined : sha256(`touchmark node\n${trustDomain}\n${value}\n`);
  return [
    ...claim("kernel", `${platform()} ${release()} ${arch()}`),
    ...claim("machine-id-digest", hidden(smallFile("/etc/machine-id"))),
    ...claim("boot-id-digest", hidden(smallFile("/proc/sys/kernel/random/boot_id"))),
    ...claim("hostname-digest", hidden(hostname())),
  ];
}

function smallFile(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").slice(0, 256).trim() || undefined;
  } catch {
    // Other systems have no such file; a fact that is not there is not claimed.
    return undefined;
  }
}
