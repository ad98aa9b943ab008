import type { Digest } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import type { FactoryIdentity } from "@touchmark/identity";
import { type BundleProfile, type LogWitness, type Signer, signStatements } from "@touchmark/sign";
import type { ContentStore } from "@touchmark/store";

/** A leaf lives ten minutes; a key is used for the statements of one moment only. */
const KEY_USE_MS = 60_000;

/** A statement that is about to be signed. */
export interface Draft {
  /** What it is in its run, for example `source` or `step/build/link`. */
  readonly name: string;
  /** Who signs: the builder, the node, or the step. */
  readonly spiffeId: string;
  readonly statement: Statement<unknown>;
}

/** A signed, logged and stored bundle, as a run's record names it. */
export interface RecordedBundle {
  readonly name: string;
  readonly digest: Digest;
  readonly predicateType: string;
  readonly logIndex: number;
}

/** Bundles that are signed and logged, and not stored yet. */
export interface HeldBundles {
  readonly bytes: readonly Uint8Array[];
  /** Stores them, and takes them into the run. */
  keep(): Promise<readonly RecordedBundle[]>;
}

/** Signs the statements of one run in order, and remembers them. */
export class EvidenceRecorder {
  readonly #identity: FactoryIdentity;
  readonly #log: LogWitness;
  readonly #content: ContentStore;
  readonly #profile: BundleProfile;
  readonly #signers = new Map<string, { readonly signer: Promise<Signer>; readonly at: number }>();
  readonly #recorded: RecordedBundle[] = [];
  #mayHold: (spiffeId: string) => void = () => undefined;

  /** @param profile `v2`, or `v1` for verifiers that know only the former shape of bundles */
  constructor(identity: FactoryIdentity, log: LogWitness, content: ContentStore, profile: BundleProfile = "v2") {
    this.#identity = identity;
    this.#log = log;
    this.#content = content;
    this.#profile = profile;
  }

  /** Every bundle so far, in the order of signing. */
  get bundles(): readonly RecordedBundle[] {
    return this.#recorded;
  }

  /** The predecessor rows of bundles, by name; all so far when no name is given. */
  predecessors(...names: readonly string[]): { readonly name: string; readonly digest: Digest }[] {
    return this.#recorded
      .filter((bundle) => names.length === 0 || names.includes(bundle.name))
      .map(({ name, digest }) => ({ name, digest }));
  }

  /**
   * Signs, logs durably, then stores; several at once share one batch of the log. The bundles themselves become durable
   * together, with `settle`, before anything of the run is acknowledged.
   */
  async record(drafts: readonly Draft[]): Promise<readonly RecordedBundle[]> {
    const signed = await this.sign(drafts);
    return signed.keep();
  }

  /** Signs and logs, and holds the bundles back until somebody says to keep them: without its bundle a log entry vouches for nothing. */
  async sign(drafts: readonly Draft[]): Promise<HeldBundles> {
    const signed = await signStatements(
      await Promise.all(
        drafts.map(async (draft) => ({
          statement: draft.statement,
          signer: await this.#signerOf(draft.spiffeId),
          log: this.#log,
          timestamp: this.#identity.timestampAuthority,
          profile: this.#profile,
        })),
      ),
    );
    const rows = drafts.map((draft, i): RecordedBundle => {
      const bundle = signed[i];
      if (bundle === undefined) throw new TypeError("signStatements answered fewer bundles than it was given");
      return {
        name: draft.name,
        digest: bundle.digest,
        predicateType: draft.statement.predicateType,
        logIndex: bundle.logIndex,
      };
    });
    return {
      bytes: signed.map((bundle) => bundle.bytes),
      keep: async () => {
        for (const bundle of signed) await this.#content.put(bundle.bytes);
        this.#recorded.push(...rows);
        return rows;
      },
    };
  }

  /** Asks, before any key is made for an identity, whether it may have one; what it throws is thrown by `record`. */
  grantBy(mayHold: (spiffeId: string) => void): void {
    this.#mayHold = mayHold;
  }

  /** Makes every bundle so far survive a power cut. */
  async settle(): Promise<void> {
    await this.#content.durable();
  }

  /** Takes bundles of an earlier run into this one: the evidence of a cached step. */
  adopt(bundles: readonly RecordedBundle[]): void {
    this.#recorded.push(...bundles);
  }

  /** Gives an identity a fresh key now, which signs its statements of the next moments: its certificate can be named. */
  async renew(spiffeId: string): Promise<void> {
    this.#signers.delete(spiffeId);
    await this.#signerOf(spiffeId);
  }

  /** One key for each identity and wave of statements; it lives in this process's memory and dies with the wave. */
  async #signerOf(spiffeId: string): Promise<Signer> {
    this.#mayHold(spiffeId);
    const now = performance.now();
    const known = this.#signers.get(spiffeId);
    if (known !== undefined && now - known.at < KEY_USE_MS) return known.signer;
    const signer = this.#identity.newSigner({ spiffeId });
    this.#signers.set(spiffeId, { signer, at: now });
    return signer;
  }
}
