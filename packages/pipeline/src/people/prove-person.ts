import { type KeyObject, sign } from "node:crypto";
import { userCertifier } from "@touchmark/identity";
import type { CallerFacts } from "@touchmark/policy";
import type { Factory } from "../factory.ts";
import { userNamed } from "./enrolment.ts";

/** A person as the caller of something, who showed the enrolled key. @throws as `signAsUser` */
export async function provePerson(factory: Factory, name: string, key: KeyObject): Promise<CallerFacts> {
  const user = await userNamed(factory, name);
  const identity = await factory.identityAs("people");
  const certifier = userCertifier({ identity, clock: factory.clock, keyOf: () => user.spki });
  const challenge = certifier.challenge(name);
  certifier.certify(name, challenge, sign("sha256", challenge, key));
  return { name: user.identity, kind: "person", authentication: "certificate" };
}
