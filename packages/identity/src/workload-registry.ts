import type { Selector } from "@touchmark/formats/predicates";
import { identityErrors } from "./errors.ts";
import type { FactoryIdentity, IssuedSigner } from "./factory-identity.ts";
import type { AttestedWorkload } from "./workload-attestor.ts";

/** Which workload may have which identity, and the only way from the one to the other. */
export interface WorkloadRegistry {
  /**
   * Binds an identity to selectors. One identity is bound once in the life of a registry, which is that of a run.
   * @throws IDENTITY_REGISTERED | SELECTORS_MISSING | IDENTITY_NOT_PERMITTED | IDENTITY_FOREIGN | SPIFFE_ID_INVALID
   */
  register(spiffeId: string, selectors: readonly Selector[]): void;
  /**
   * A signer for an attested workload: the facts are read again, every selector of the identity must be among them, and
   * the key stays with the caller, never with the workload.
   * @throws IDENTITY_UNREGISTERED | WORKLOAD_SELECTOR_MISMATCH | WORKLOAD_LABEL_MISSING and as `confirm` and `newSigner`
   */
  newSigner(workload: AttestedWorkload, spiffeId: string): Promise<IssuedSigner>;
}

/**
 * Opens an empty registry. An identity that is bound to a label of a gate is granted while `labelsOf` knows of the label:
 * it answers for checks that were passed, and what a workload says of itself never counts as one.
 */
export function workloadRegistry(
  identity: FactoryIdentity,
  labelsOf: (spiffeId: string) => readonly Selector[] = () => [],
): WorkloadRegistry {
  const entries = new Map<string, readonly Selector[]>();
  return {
    register(spiffeId, selectors) {
      identity.assertMayIssue(spiffeId);
      if (entries.has(spiffeId)) throw identityErrors.make("IDENTITY_REGISTERED", `${spiffeId} is bound already`);
      if (!selectors.some((each) => each.label === "kernel")) {
        throw identityErrors.make("SELECTORS_MISSING", `expected at least one fact of the kernel for ${spiffeId}`);
      }
      entries.set(spiffeId, [...selectors]);
    },
    async newSigner(workload, spiffeId) {
      const required = entries.get(spiffeId);
      if (required === undefined) throw identityErrors.make("IDENTITY_UNREGISTERED", `${spiffeId} is bound to nothing`);
      workload.confirm();
      const labels = labelsOf(spiffeId);
      for (const { type, value, label } of required) {
        if (label === "gate") {
          if (labels.some((each) => each.type === type && each.value === value && each.label === label)) continue;
          throw identityErrors.make("WORKLOAD_LABEL_MISSING", `${spiffeId} demands the passed check ${type} ${value}`);
        }
        const found = workload.selectors.find((each) => each.type === type && each.label === label);
        if (found?.value !== value) {
          throw identityErrors.make(
            "WORKLOAD_SELECTOR_MISMATCH",
            `${spiffeId} expects ${type} ${value}, process ${workload.pid} has ${found?.value ?? "none"}`,
          );
        }
      }
      return identity.newSigner({ spiffeId });
    },
  };
}
