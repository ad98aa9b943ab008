import { defineErrors } from "@touchmark/core";

/** Error codes of evidence for admission, and of break-glass permissions that a home keeps. */
export const homeAdmissionErrors = defineErrors({
  EVIDENCE_CACHE_INCOMPLETE: {
    nature: "unavailable",
    meaning:
      "A registry did not show all that refers to an artifact, in time and within the bounds of a search; what was not seen might speak against it.",
    hint: "ask again; a mirror of the registry nearby answers faster",
  },
  EVIDENCE_CACHE_NO_REFERENCE: {
    nature: "invalid",
    meaning: "A reference has neither tag nor digest, so it stands for nothing certain.",
  },
  BREAK_GLASS_EXISTS: {
    nature: "invalid",
    meaning: "A break-glass permission of that id is kept already.",
    hint: "choose another id, or end the former with --end",
  },
  HOST_GATE_UNREADABLE: {
    nature: "invalid",
    meaning: "A program or file that must be admitted before it is used cannot be read, or is no ordinary file.",
  },
  HOST_GATE_UNSUPPORTED: {
    nature: "unavailable",
    meaning: "This host cannot execute exactly the bytes that were checked.",
    hint: "the host gate needs Linux and a home on a file system that allows execution and files without a name",
  },
  BREAK_GLASS_UNKNOWN: { nature: "invalid", meaning: "No break-glass permission of that id is kept." },
});
