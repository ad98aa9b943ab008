import { type NoteVerifier, parseVerifierKey, type VerifiedNoteSignature } from "./note.ts";
import { noteErrors } from "./note-errors.ts";

/** Which witnesses must have cosigned a checkpoint (C2SP tlog-policy). */

/** A witness of a policy. */
export interface PolicyWitness {
  /** Its name within the policy. */
  readonly name: string;
  readonly verifier: NoteVerifier;
  readonly url?: string;
}

/** Logs, witnesses, groups of witnesses, and the name of the group that must be satisfied. */
export interface WitnessPolicy {
  readonly logs: readonly { readonly verifier: NoteVerifier; readonly url?: string }[];
  readonly witnesses: readonly PolicyWitness[];
  /** Group name to threshold and members. A member is a witness or an earlier group. */
  readonly groups: ReadonlyMap<string, { readonly threshold: number; readonly members: readonly string[] }>;
  /** Name of a witness or group, or `none`. */
  readonly quorum: string;
}

/** A cosignature that counts. */
export interface Cosignature {
  readonly witness: string;
  readonly at: Date;
}

/** Seconds by which a witness's clock may run ahead of ours. */
const skewSeconds = 60n;

/** A policy that asks `quorum` of the given witness keys. Each key counts once, however often it is listed. */
export function witnessQuorum(verifiers: readonly NoteVerifier[], quorum: number): WitnessPolicy {
  const witnesses: PolicyWitness[] = [];
  for (const verifier of verifiers) {
    if (!witnesses.some((known) => known.verifier.publicKey.equals(verifier.publicKey))) {
      witnesses.push({ name: `w${witnesses.length + 1}`, verifier });
    }
  }
  const members = witnesses.map((witness) => witness.name);
  const groups = new Map(quorum === 0 ? [] : [["quorum", { threshold: quorum, members }]]);
  return { logs: [], witnesses, groups, quorum: quorum === 0 ? "none" : "quorum" };
}

/** Reads a policy file (C2SP tlog-policy). @throws WITNESS_POLICY_MALFORMED naming the line */
export function parseWitnessPolicy(text: string): WitnessPolicy {
  const logs: { verifier: NoteVerifier; url?: string }[] = [];
  const witnesses: PolicyWitness[] = [];
  const groups = new Map<string, { threshold: number; members: readonly string[] }>();
  let quorum: string | undefined;
  const grouped = new Set<string>();
  const known = (name: string) => groups.has(name) || witnesses.some((witness) => witness.name === name);
  for (const [number, line] of text.split("\n").entries()) {
    const fail = (why: string, cause?: unknown) =>
      noteErrors.make("WITNESS_POLICY_MALFORMED", `line ${number + 1} of the witness policy: ${why}`, { cause });
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    const [keyword = "#", ...rest] = words;
    if (keyword.startsWith("#")) continue;
    const key = (vkey: string | undefined, kinds: readonly string[], others: readonly { verifier: NoteVerifier }[]) => {
      let verifier: NoteVerifier;
      try {
        verifier = parseVerifierKey(vkey ?? "");
      } catch (cause) {
        throw fail("expected a verifier key", cause);
      }
      if (!kinds.includes(verifier.kind)) throw fail(`expected a key of type ${kinds.join(" or ")}`);
      if (others.some((other) => other.verifier.publicKey.equals(verifier.publicKey))) throw fail("a key listed twice");
      return verifier;
    };
    const fresh = (name: string | undefined) => {
      if (!name || name === "none" || known(name)) throw fail(`expected a new name, found ${JSON.stringify(name)}`);
      return name;
    };
    if (keyword === "log" && rest.length >= 1 && rest.length <= 2) {
      const verifier = key(rest[0], ["ed25519", "ecdsa-p256"], logs);
      logs.push({ verifier, ...(rest[1] === undefined ? {} : { url: rest[1] }) });
    } else if (keyword === "witness" && rest.length >= 2 && rest.length <= 3) {
      const verifier = key(rest[1], ["cosignature/v1"], witnesses);
      witnesses.push({ name: fresh(rest[0]), verifier, ...(rest[2] === undefined ? {} : { url: rest[2] }) });
    } else if (keyword === "group" && rest.length >= 3) {
      const [name, amount = "", ...members] = rest;
      if (new Set(members).size !== members.length) throw fail("a member is listed twice");
      for (const member of members) {
        if (!known(member)) throw fail(`${JSON.stringify(member)} is not defined above`);
        // A witness counts towards the quorum in one way only (tlog-policy, "Defining a witness group").
        if (grouped.has(member)) throw fail(`${JSON.stringify(member)} is a member of another group already`);
        grouped.add(member);
      }
      const threshold = amount === "all" ? members.length : amount === "any" ? 1 : Number(amount);
      if (!/^(?:all|any|[1-9][0-9]{0,5})$/.test(amount) || threshold > members.length) {
        throw fail(`expected any, all or 1 to ${members.length}, found ${JSON.stringify(amount)}`);
      }
      groups.set(fresh(name), { threshold, members });
    } else if (keyword === "quorum" && rest.length === 1 && quorum === undefined) {
      quorum = rest[0] as string;
      if (quorum !== "none" && !known(quorum)) throw fail(`${JSON.stringify(quorum)} is not defined above`);
    } else throw fail(`expected log, witness, group or one quorum line, found ${JSON.stringify(line.slice(0, 80))}`);
  }
  if (quorum === undefined) throw noteErrors.make("WITNESS_POLICY_MALFORMED", "the witness policy has no quorum line");
  return { logs, witnesses, groups, quorum };
}

/**
 * Counts cosignatures against a policy: each key once, and only with a time after 1970 and not in the future.
 * @throws WITNESS_QUORUM_MISSING saying which witnesses count and why others do not
 */
export function checkQuorum(
  policy: WitnessPolicy,
  signatures: readonly VerifiedNoteSignature[],
  now: Date | undefined,
): Cosignature[] {
  if (now === undefined) throw new TypeError("counting cosignatures needs the time");
  const latest = BigInt(Math.floor(now.getTime() / 1000)) + skewSeconds;
  const counted: Cosignature[] = [];
  const reasons: string[] = [];
  for (const witness of policy.witnesses) {
    const lines = signatures.filter((line) => line.verifier === witness.verifier);
    const good = lines.find((line) => line.time !== undefined && line.time > 0n && line.time <= latest);
    if (good) counted.push({ witness: witness.name, at: new Date(Number(good.time) * 1000) });
    else if (lines.length === 0) reasons.push(`${witness.verifier.name} did not cosign`);
    else if (lines.some((line) => line.time === 0n)) reasons.push(`${witness.verifier.name} states no time`);
    else reasons.push(`${witness.verifier.name} states a time in the future`);
  }
  const satisfied = (name: string): boolean => {
    const group = policy.groups.get(name);
    if (!group) return counted.some((cosignature) => cosignature.witness === name);
    return group.members.filter(satisfied).length >= group.threshold;
  };
  if (policy.quorum !== "none" && !satisfied(policy.quorum)) {
    throw noteErrors.make(
      "WITNESS_QUORUM_MISSING",
      `expected the quorum of the witness policy, found ${counted.length} cosignatures that count; ${reasons.join("; ")}`,
    );
  }
  return counted;
}
