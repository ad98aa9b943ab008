/** Something that a collection's name promises and that no rule can judge yet, because nobody records the facts. */
export interface NotYet {
  /** Requirement of the field. */
  readonly practice: string;
  /** The fact that is missing. */
  readonly needs: string;
}

/** A named collection of rules. Its rules are those that name it. */
export interface Collection {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly notYet: readonly NotYet[];
}

const sourceHost = "rules of the source host, by a connector to it";
const continuity = "the log of reference updates of the repository";

/** Every collection but those of the practices, in the order of the page. */
export const themes: readonly Collection[] = [
  {
    name: "touchmark-default",
    title: "What any run must have",
    description: "In force in a fresh home, at all five points.",
    notYet: [],
  },
  {
    name: "slsa-build-l1",
    title: "SLSA Build L1",
    description: "A consistent build process and provenance.",
    notYet: [],
  },
  {
    name: "slsa-build-l2",
    title: "SLSA Build L2",
    description: "Authentic provenance of a platform that the user trusts.",
    notYet: [],
  },
  {
    name: "slsa-build-l3",
    title: "SLSA Build L3",
    description: "Isolated builds, and provenance that the build itself cannot forge.",
    notYet: [],
  },
  {
    name: "slsa-source-l1",
    title: "SLSA Source L1",
    description: "Repository and revision are named, and stay what they are.",
    notYet: [],
  },
  {
    name: "slsa-source-l2",
    title: "SLSA Source L2",
    description: "Who changed it is known. History and its continuity need facts of the source host.",
    notYet: [
      { practice: "source:history", needs: continuity },
      { practice: "source:continuity", needs: continuity },
      { practice: "source:access-and-history", needs: sourceHost },
    ],
  },
  {
    name: "slsa-source-l3",
    title: "SLSA Source L3",
    description: "As L2; protected references need facts of the source host.",
    notYet: [
      { practice: "source:history", needs: continuity },
      { practice: "source:continuity", needs: continuity },
      { practice: "source:protected-refs", needs: sourceHost },
      { practice: "source:technical-controls", needs: sourceHost },
    ],
  },
  {
    name: "slsa-source-l4",
    title: "SLSA Source L4",
    description: "As L3, and two people see each change.",
    notYet: [
      { practice: "source:history", needs: continuity },
      { practice: "source:continuity", needs: continuity },
      { practice: "source:protected-refs", needs: sourceHost },
      { practice: "source:technical-controls", needs: sourceHost },
    ],
  },
  {
    name: "hermetic",
    title: "Hermetic",
    description: "Measured: nothing came into any step that is not accounted for.",
    notYet: [],
  },
  {
    name: "reproducible",
    title: "Reproducible",
    description: "Two builders that share nothing made the same bytes.",
    notYet: [],
  },
  {
    name: "sbom",
    title: "Software bill of materials",
    description: "What the artifact consists of, signed and logged.",
    notYet: [],
  },
  {
    name: "vulnerabilities",
    title: "Vulnerabilities",
    description: "Looked for in everything that comes in and goes out, and none of a refused class.",
    notYet: [],
  },
  {
    name: "licences",
    title: "Licences",
    description: "None denied, none unknown.",
    notYet: [],
  },
  {
    name: "trusted-builders",
    title: "Trusted builders and sources",
    description: "Only builders and sources that the policy names.",
    notYet: [],
  },
  {
    name: "trusted-bases",
    title: "Trusted base images",
    description: "Every step in an image that is pinned and vouched for.",
    notYet: [],
  },
  {
    name: "secrets",
    title: "Secrets",
    description: "No way out for a secret of a step; a scan of the source.",
    notYet: [],
  },
  {
    name: "freshness",
    title: "Freshness",
    description: "Evidence is recent; what comes in is not brand new.",
    notYet: [],
  },
  {
    name: "two-party-review",
    title: "Two-party review",
    description: "Somebody other than the author approved the very revision.",
    notYet: [],
  },
  {
    name: "two-party-release",
    title: "Two-party release",
    description: "Different people in different roles signed the release.",
    notYet: [],
  },
  {
    name: "callers",
    title: "Callers, images and machines",
    description: "Allow-lists: who may start it, in which images, on which machines, whose definition.",
    notYet: [],
  },
  {
    name: "pipeline-templates",
    title: "Pipeline templates",
    description: "A pipeline descends from an approved template.",
    notYet: [],
  },
];
