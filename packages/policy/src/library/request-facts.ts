import type { CelInput } from "../cel/value.ts";

/**
 * Facts of a question, by point: what a gate hands in as `request`, and what the rules of the library read. A gate that
 * does not know a fact leaves it out; a rule that needs it then denies.
 */

/** Who asks. `none`: nobody was authenticated. */
export type CallerFacts = {
  readonly name: string;
  /** `local-user`, `schedule`, `event`, `service`, `person`. */
  readonly kind: string;
  readonly id?: string;
  readonly authentication: "kernel" | "token" | "certificate" | "none";
};

/** An image that something is to run in, or stand on. */
export type ImageFacts = {
  /** As it is written. */
  readonly reference: string;
  /** `sha256:…`: what it means now. */
  readonly digest: string;
  /** It is written with its digest. */
  readonly pinned: boolean;
  readonly use?: "step" | "base";
  /** Whose word there is for it: `factory`, `sigstore`, `cosign`, `notation`. */
  readonly vouchers?: readonly string[];
  /** Taken although nobody vouches for it. */
  readonly insecure?: boolean;
  readonly scan?: "none" | "not-evaluated" | "passed" | "refused";
};

/** Point `request`: may this caller start this pipeline so. Subject: `PROJECT/PIPELINE`, digest of the request. */
export type RunRequestFacts = {
  readonly caller: CallerFacts;
  /** `command`, `schedule`, `event`, `api`, `rebuild`. */
  readonly cause: string;
  readonly project: string;
  readonly pipeline: {
    readonly name: string;
    /** Path in the source. */
    readonly file: string;
    /** SHA-256 of the file. */
    readonly digest: string;
    /** Whose signature there is on the definition: identities; absent when nobody looked. */
    readonly signers?: readonly string[];
  };
  readonly source: {
    readonly uri: string;
    readonly revision: string;
    readonly commit: string;
    /** Uncommitted changes are built. */
    readonly workingTree: boolean;
    /** `absent`, `good`, `bad`, `unverified`. */
    readonly signature: { readonly status: string; readonly signer?: string; readonly key?: string };
    /** RFC 3339. */
    readonly committedAt: string;
  };
  readonly parameters: { readonly [name: string]: string | number | boolean };
  /** Each begins with `insecure`. */
  readonly insecureOptions: readonly string[];
  /** False for a change from outside. */
  readonly trusted: boolean;
  readonly steps: readonly {
    readonly name: string;
    readonly network: "none" | "fetch";
    readonly image?: string;
    readonly script: boolean;
  }[];
  readonly images: readonly ImageFacts[];
  /** Layout that the steps must follow, where there is one. */
  readonly layout?: { readonly name: string; readonly digest: string };
  /** Templates that the pipeline names and descends from, as `templatesOf` of formats finds: empty for none. */
  readonly templates?: readonly string[];
  /** Machines that may take the steps: their SPIFFE ids. */
  readonly nodes?: readonly string[];
};

/** Point `dependency`: may this come in. Subject: package URL, URI of the source, or image reference; its digest. */
export type DependencyFacts = {
  readonly kind: "source" | "package" | "image";
  readonly step?: string;
  readonly ecosystem?: string;
  readonly name: string;
  readonly version?: string;
  /** Name of the trusted repository in the configuration. */
  readonly repository: string;
  /** An entry of a lockfile, a pinned digest or a commit id allows it. */
  readonly locked: boolean;
  /** What the rules of the dependency gate said, each. */
  readonly rules: readonly {
    readonly rule: string;
    /** `passed`, `refused`, `excepted`, `not-applicable`, `not-evaluated`. */
    readonly outcome: string;
    readonly message: string;
  }[];
  /** RFC 3339, as every time among the facts. */
  readonly published?: string;
  /** SPDX expression of the package's own words. */
  readonly licence?: string;
  /** What others vouch for, and whether it was verified. */
  readonly evidence?: readonly { readonly kind: string; readonly outcome: string }[];
  readonly installScripts?: readonly string[];
  /** Known vulnerabilities; absent: nobody looked. */
  readonly vulnerabilities?: readonly { readonly id: string; readonly class: string }[];
};

/** Point `step`: may this step start so. Subject: `PROJECT/PIPELINE/STEP`, no digest. */
export type StepFacts = {
  readonly run: string;
  readonly project: string;
  readonly pipeline: string;
  readonly step: string;
  readonly command: readonly string[];
  /** What the sandbox enforces: no network, the recording proxy, the host's. */
  readonly network: "none" | "proxy" | "open";
  /** Kind of sandbox; `process` is none. */
  readonly tier: string;
  readonly image?: ImageFacts;
  /** What it sees: the source and outputs of earlier steps. */
  readonly inputs: readonly {
    readonly from: string;
    /** Digest of the tree. */
    readonly digest: string;
    readonly access: "read-only" | "copy-on-write";
    /** It has the digest that the signed statement of its maker names. */
    readonly verified: boolean;
  }[];
  readonly secrets: readonly string[];
  readonly insecureOptions: readonly string[];
};

/** Point `publish`: may this artifact leave. Subject: where to (`HOST/NAME:TAG`, or the artifact's name), its digest. */
export type PublishFacts = {
  readonly run: string;
  readonly project: string;
  readonly pipeline: string;
  readonly artifact: { readonly name: string; readonly kind: string };
  /** `HOST/NAME:TAG`; absent where it stays in the factory. */
  readonly target?: string;
  readonly caller: CallerFacts;
  readonly insecureOptions: readonly string[];
};

/** Point `deploy`: may this run there. Subject: image reference, file or package URL; its digest. */
export type DeployFacts = {
  readonly environment?: string;
  readonly namespace?: string;
  /** `Pod/NAME`, `command`, `host`. */
  readonly resource?: string;
  readonly caller?: CallerFacts;
  /** Environments that this digest was deployed to before, in order. */
  readonly deployed?: readonly string[];
};

/** Facts of any point are values of CEL. */
export type PointFacts = {
  readonly request: RunRequestFacts;
  readonly dependency: DependencyFacts;
  readonly step: StepFacts;
  readonly publish: PublishFacts;
  readonly deploy: DeployFacts;
};

/** A gate's facts as the engine takes them. */
export function requestOf<Point extends keyof PointFacts>(
  _point: Point,
  facts: PointFacts[Point],
): { readonly [name: string]: CelInput } {
  return facts;
}
