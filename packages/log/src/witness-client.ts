import type { NoteVerifier } from "@touchmark/formats/log";

/** What a witness answers to `add-checkpoint` (C2SP tlog-witness). */
export interface WitnessResponse {
  /** HTTP status: 200, 400, 403, 404, 409 or 422. */
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A witness that can be asked: over HTTP, or a function in the same process. */
export interface WitnessClient {
  readonly verifier: NoteVerifier;
  /** Posts an `add-checkpoint` request. */
  addCheckpoint(request: string): Promise<WitnessResponse>;
}
