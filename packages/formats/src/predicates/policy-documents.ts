// Each from its own file: the index brings readers and their libraries, which verifying must not load.
import { exception } from "../policy/exception.ts";
import { layout } from "../policy/layout.ts";
import { policy } from "../policy/policy.ts";
import { policySet } from "../policy/policy-set.ts";
import { chainMembers, digest } from "./common.ts";
import { described, type Of, object, type Shape } from "./shape.ts";

/** Signed forms of the documents of policy: the document whole, and the digest of the bytes that it was read from. */

const signed = <T>(shape: Shape<T>) =>
  object({
    ...chainMembers,
    document: described("SHA-256 of the document's bytes, which is also the subject.", digest),
    content: described("The document.", shape),
  });

/** policy/v1: somebody answers for a policy. */
export const signedPolicy = signed(policy);
/** layout/v1: somebody answers for a layout. */
export const signedLayout = signed(layout);
/** exception/v1: somebody other than the requester lets rules not count for a while. */
export const signedException = signed(exception);
/** policy-set/v1: somebody puts policies in force. */
export const signedPolicySet = signed(policySet);

export type SignedPolicy = Of<typeof signedPolicy>;
export type SignedLayout = Of<typeof signedLayout>;
export type SignedException = Of<typeof signedException>;
export type SignedPolicySet = Of<typeof signedPolicySet>;
