/** A step as a proposal writes it. */
export interface ProposedStep {
  readonly name: string;
  /** Written above the step, as comments. */
  readonly comment: string;
  readonly command?: readonly string[];
  /** Lines of a script. */
  readonly run?: readonly string[];
  readonly inputs: readonly { readonly from: string; readonly at: string; readonly write?: boolean }[];
  readonly output?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly fetch?: boolean;
  readonly toolchains?: readonly string[];
  readonly limits: { readonly memory: string; readonly pids: number; readonly time: string; readonly output: string };
}

export interface ProposedArtifact {
  readonly name: string;
  readonly from: string;
  readonly path: string;
  readonly kind: string;
  readonly description: string;
}

/** Something that the person should know or do about a proposal. */
export interface ProposalFinding {
  readonly severity: "error" | "warning" | "note";
  /** The file that led to it. */
  readonly file: string;
  readonly message: string;
  readonly fix: string;
}

/** What one ecosystem contributes. */
export interface Proposal {
  readonly language: string;
  readonly tools: readonly string[];
  /** Name of the project, as the ecosystem knows it. */
  readonly project?: string;
  readonly steps: readonly ProposedStep[];
  readonly artifacts: readonly ProposedArtifact[];
  readonly findings: readonly ProposalFinding[];
}

/** Names of toolchains to declare for programs: those that live below a home on this host. */
export type ToolchainsFor = (...programs: string[]) => string[];

export const limits = {
  fetch: { memory: "2GiB", pids: 512, time: "15m", output: "4GiB" },
  build: { memory: "4GiB", pids: 1024, time: "30m", output: "4GiB" },
} as const;
