export { createUserKey, openUserKey, readUserPublicKey } from "@touchmark/identity";
export { type ApprovalRequest, approveArtifact } from "./approve.ts";
export { enrolUser, removeUser, type User, userNamed, users } from "./enrolment.ts";
export { peopleErrors } from "./errors.ts";
export { provePerson } from "./prove-person.ts";
export { signAsUser } from "./sign-as-user.ts";
