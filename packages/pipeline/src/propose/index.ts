export { type PipelineProposal, proposePipeline } from "./propose.ts";
