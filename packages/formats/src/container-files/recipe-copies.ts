import type { Report } from "./finding.ts";
import type { Instruction } from "./recipe-reader.ts";
import { type Stage, wordsOf } from "./recipe-stages.ts";
import { expand } from "./variables.ts";

const secretFile =
  /(?:^|\/)(?:\.env(?:\.(?!example$|sample$|template$|dist$|defaults$)[\w-]{1,40})?|id_(?:rsa|dsa|ecdsa|ed25519)|\.npmrc|\.pypirc|\.netrc|_netrc|\.git-credentials|\.ssh|\.aws|\.gnupg|\.docker|\.kube|kubeconfig|\.git|\.htpasswd|credentials(?:\.json)?|service-account[\w-]{0,40}\.json|[\w.-]{0,80}\.(?:key|p12|pfx|jks|keystore)|[\w.-]{0,40}key[\w.-]{0,40}\.pem)\/?$/;

/** Judges COPY and ADD of a stage. */
export function lintCopies(
  stage: Stage,
  { escape, isFinal }: { readonly escape: string; readonly isFinal: boolean },
  report: Report,
): void {
  for (const instruction of stage.instructions) {
    if (instruction.name !== "COPY" && instruction.name !== "ADD") continue;
    const { at, flags, name } = instruction;
    const from = flags.some((flag) => flag.name === "from");
    for (const source of sourcesOf(instruction, stage, escape)) {
      const shown = JSON.stringify(source.slice(0, 120));
      if (secretFile.test(source)) report("secret-file-copied", at, `${shown} usually holds secrets`);
      if (isRemote(source)) {
        if (name === "ADD") lintRemote(source, instruction, shown, report);
        continue;
      }
      if (!from && /^(?:\.{0,2}\/?\*{0,2}|\.\/\*{1,2})$/.test(source)) {
        const severity = isFinal ? "warning" : "note";
        report("broad-copy", at, `${name} ${source} takes whatever lies in the directory`, { severity });
      }
      if (name === "ADD" && !/\.(?:tar|tgz|tbz2?|txz|tar\.\w{1,4})$/.test(source)) {
        report("add-instead-of-copy", at, `ADD ${shown}: COPY does`);
      }
    }
  }
}

/** What is copied; here-documents are none. */
function sourcesOf({ rest, list }: Instruction, stage: Stage, escape: string): string[] {
  const words = list ?? wordsOf(rest, escape).map(({ raw }) => raw);
  return words
    .slice(0, -1)
    .filter((word) => !word.startsWith("<<"))
    .map((word) => expand(word, stage.lookup, escape, list === undefined).text);
}

function isRemote(source: string): boolean {
  return /^(?:https?:\/\/|git@|git:\/\/|ssh:\/\/)/i.test(source);
}

function lintRemote(source: string, { flags, at }: Instruction, shown: string, report: Report): void {
  const checksum = flags.find((flag) => flag.name === "checksum")?.value;
  const isGit = /^(?:git@|git:|ssh:)/i.test(source) || /\.git(?:#|$)/.test(source);
  if (isGit) {
    const isCommit = /#[0-9a-f]{40}(?::|$)/.test(source) || /^[0-9a-f]{40}$/.test(checksum ?? "");
    if (!isCommit) report("add-without-checksum", at, `ADD ${shown}: no full commit is named after #`);
  } else if (!/^sha256:[0-9a-f]{64}$/.test(checksum ?? "")) {
    const what = checksum === undefined ? "nothing says which bytes are meant" : "the checksum is no sha256 digest";
    report("add-without-checksum", at, `ADD ${shown}: ${what}`);
  }
}
