import type { IncomingMessage, ServerResponse } from "node:http";
import type { Digest } from "@touchmark/core";

/** What somebody may do with a repository. `catalog` is for the list of repositories. */
export type RegistryAction = "pull" | "push" | "delete" | "catalog";

/** Who asks, as far as the registry could tell. */
export interface RegistryCaller {
  /** Name in audit lines; `anonymous` when nothing was shown. Never a secret. */
  readonly name: string;
  may(action: RegistryAction, repository: string): boolean;
  /** Whether a list of repositories shows it, for a caller who may have the list. Default: whether it may pull from it. */
  sees?(repository: string): boolean;
  /** Counts bytes of a body, in either direction; a promise when the caller must wait before more of them pass. */
  pace?(bytes: number): Promise<void> | undefined;
}

/** Decides who asks. A port of the server; the composition root gives one. */
export interface RegistryAuthority {
  /**
   * @param header value of `Authorization`, untrusted
   * @param wanted what the request needs; the repository is empty for the version check (`GET /v2/`, action pull) and the catalog
   * @throws REGISTRY_RATE_LIMITED (429) before anything costly is done
   * @returns the caller, or a challenge for `WWW-Authenticate` when credentials are missing or wrong (401)
   */
  identify(
    header: string | undefined,
    wanted: { readonly action: RegistryAction; readonly repository: string },
    remote: string,
  ): Promise<RegistryCaller | { readonly challenge: string; readonly reason: string }>;
  /** Answers a request of the authority's own protocol, such as one for a token; false when it is none. Asked before all else. */
  answer?(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Judges a tag before it is set. A port of the server. */
export interface TagRules {
  /** `immutable`: once set it keeps its digest. @throws REGISTRY_PROMOTION_REFUSED when only the gate may set it and did not */
  judge(repository: string, tag: string, digest: Digest): Promise<{ readonly immutable: boolean }>;
}

/** Looks for the decision of a gate. A port of the tag rules; the composition root wires the verifier. */
export interface PromotionProof {
  /**
   * Whether a signed decision among the referrers of the digest lets it have this tag in this repository.
   * @returns undefined when one does, otherwise why none does
   */
  missing(repository: string, tag: string, digest: Digest): Promise<string | undefined>;
}
