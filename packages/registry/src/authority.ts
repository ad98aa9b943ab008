import type { Digest } from "@touchmark/core";

/** What somebody may do with a repository. `catalog` is for the list of repositories. */
export type RegistryAction = "pull" | "push" | "delete" | "catalog";

/** Who asks, as far as the registry could tell. */
export interface RegistryCaller {
  /** Name in audit lines; `anonymous` when nothing was shown. Never a secret. */
  readonly name: string;
  may(action: RegistryAction, repository: string): boolean;
}

/** Decides who asks. A port of the server; the composition root gives one. */
export interface RegistryAuthority {
  /**
   * @param header value of `Authorization`, untrusted
   * @returns the caller, or a challenge for `WWW-Authenticate` when credentials are missing or wrong (401)
   */
  identify(
    header: string | undefined,
    wanted: { readonly action: RegistryAction; readonly repository: string },
    remote: string,
  ): Promise<RegistryCaller | { readonly challenge: string; readonly reason: string }>;
}

/** Judges a tag before it is set. A port of the server. */
export interface TagRules {
  /** `immutable`: once set it keeps its digest. @throws REGISTRY_PROMOTION_REFUSED when only the gate may set it and did not */
  judge(repository: string, tag: string, digest: Digest): Promise<{ readonly immutable: boolean }>;
}
