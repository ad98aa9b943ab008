export type { ProposalFinding, ToolchainsFor } from "./proposal.ts";
export { type PipelineProposal, proposePipeline } from "./propose.ts";
