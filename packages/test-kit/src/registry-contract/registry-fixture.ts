import type { Digest, fixedClock } from "@touchmark/core";
import type { CollectingBackend, RegistryBackend, UsageBackend } from "@touchmark/registry";

/** A registry under test, and a way to damage it behind its back. */
export interface RegistryBackendFixture {
  readonly backend: RegistryBackend & CollectingBackend & UsageBackend;
  /** The backend's clock. It stands at the real time first, and may go forward. */
  readonly clock: ReturnType<typeof fixedClock>;
  /** Replaces the stored bytes of a blob or manifest, or loses them. */
  corrupt(digest: Digest, bytes: Uint8Array | undefined): Promise<void>;
}

/** Promise of the code that work fails with. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "no error",
    (cause: { code?: unknown }) => cause.code ?? cause,
  );
}
