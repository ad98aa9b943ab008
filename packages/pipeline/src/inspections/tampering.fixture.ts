import { sha256 } from "@touchmark/core";
import { type ClassicLink, type ClassicSigner, writeClassicLayout, writeClassicLink } from "@touchmark/formats/in-toto";
import { changeLink, changeStep, type Demo, fileOf, linkOf, packed, people } from "./demo.fixture.ts";

const { alice, bob, carl, mallory } = people;
const hashed = (content: string | Uint8Array) => ({ sha256: sha256(content).slice("sha256:".length) });

/** One change of the demo, and what must come of it: `accepted`, or the first code of the refusal. */
export interface Tampering {
  readonly what: string;
  readonly expected: string;
  /** Why the other tools accept what we refuse. */
  readonly otherwise?: string;
  readonly change: (demo: Demo, scratch: string) => void;
}

function second(demo: Demo, step: string, signer: ClassicSigner, change: Partial<ClassicLink> = {}): void {
  const first = [...demo.links.values()].find(({ link }) => link.name === step);
  if (first === undefined) throw new TypeError(`no link of ${step}`);
  demo.links.set(fileOf(step, signer), { link: { ...first.link, ...change }, signer });
  demo.layout = { ...demo.layout, keys: { ...demo.layout.keys, [signer.key.keyid]: signer.key } };
  const own = demo.layout.steps.find(({ name }) => name === step)?.pubkeys ?? [];
  changeStep(demo, step, { threshold: 2, pubkeys: [...own, signer.key.keyid] });
}

/** `package` is delegated by its functionary to a layout of one step, done by mallory with carl's leave. */
function delegate(demo: Demo, link: ClassicLink): void {
  const [old] = [...demo.links.entries()].filter(([, { link: each }]) => each.name === "package");
  if (old === undefined) throw new TypeError("no link of package");
  demo.links.delete(old[0]);
  const sublayout = {
    expires: "2099-01-01T00:00:00Z",
    readme: "",
    keys: { [mallory.key.keyid]: mallory.key },
    steps: [
      {
        name: "tar",
        command: [],
        materials: [],
        products: [
          { rule: "CREATE", pattern: "demo-project.tar.gz" } as const,
          { rule: "DISALLOW", pattern: "*" } as const,
        ],
        threshold: 1,
        pubkeys: [mallory.key.keyid],
      },
    ],
    inspections: [],
  };
  demo.raw.set(`links/${fileOf("package", carl)}`, writeClassicLayout(sublayout, [carl]));
  const directory = fileOf("package", carl).slice(0, -".link".length);
  demo.raw.set(`links/${directory}/${fileOf("tar", mallory)}`, writeClassicLink(link, [mallory]));
}

const packagedAs = (demo: Demo): ClassicLink => {
  const found = [...demo.links.values()].find(({ link }) => link.name === "package")?.link;
  if (found === undefined) throw new TypeError("no link of package");
  return { ...found, name: "tar" };
};

/** The good demo, and everything that is done to it. */
export const tamperings: readonly Tampering[] = [
  { what: "the demo as it is", expected: "accepted", change: () => undefined },
  {
    what: "another command than expected",
    expected: "accepted",
    change: (demo) => changeStep(demo, "package", { command: ["tar", "czf", "x"] }),
  },
  {
    what: "a rule that matches nothing, and none that disallows",
    expected: "accepted",
    change: (demo) =>
      changeStep(demo, "package", {
        materials: [{ rule: "MATCH", pattern: "*", in: "nowhere", with: "products", from: "clone" }],
      }),
  },
  {
    what: "two functionaries who agree",
    expected: "accepted",
    change: (demo) => second(demo, "update-version", carl),
  },
  {
    what: "a step delegated to a layout of its own",
    expected: "accepted",
    change: (demo) => delegate(demo, packagedAs(demo)),
  },
  {
    what: "a product altered after it was packed",
    expected: "POLICY_SUBJECT_MISMATCH",
    change: (demo, scratch) => {
      demo.product = packed(scratch, "print('evil')\n");
    },
  },
  {
    what: "something else packed than was made",
    expected: "POLICY_ARTIFACT_RULE",
    change: (demo, scratch) => {
      demo.product = packed(scratch, "print('evil')\n");
      changeLink(demo, "package", { products: { "demo-project.tar.gz": hashed(demo.product) } });
    },
  },
  {
    what: "a source altered between two steps",
    expected: "POLICY_ARTIFACT_RULE",
    change: (demo) => changeLink(demo, "package", { materials: { "demo-project/foo.py": hashed("evil") } }),
  },
  {
    what: "a further file in a step",
    expected: "POLICY_ARTIFACT_RULE",
    change: (demo) =>
      changeLink(demo, "clone", { products: { "demo-project/foo.py": hashed("print('hello')\n"), evil: hashed("") } }),
  },
  {
    what: "a file that should have been modified, and was not",
    expected: "POLICY_ARTIFACT_RULE",
    change: (demo) =>
      changeLink(demo, "update-version", { products: { "demo-project/foo.py": hashed("print('hello')\n") } }),
  },
  {
    what: "a required file that is not there",
    expected: "POLICY_ARTIFACT_RULE",
    change: (demo) => changeStep(demo, "clone", { products: [{ rule: "REQUIRE", pattern: "demo-project/*" }] }),
  },
  {
    what: "a layout that expired",
    expected: "POLICY_LAYOUT_EXPIRED",
    change: (demo) => {
      demo.layout = { ...demo.layout, expires: "2020-01-01T00:00:00Z" };
    },
  },
  {
    what: "a step without its link",
    expected: "POLICY_STEP_EVIDENCE_MISSING",
    change: (demo) => void demo.links.delete(fileOf("update-version", bob)),
  },
  {
    what: "a link that a stranger signed in another's name",
    expected: "POLICY_STEP_EVIDENCE_MISSING",
    change: (demo) => {
      for (const [file, { link }] of demo.links) demo.links.set(file, { link, signer: mallory });
    },
  },
  {
    what: "a link by somebody who may do another step only",
    expected: "POLICY_STEP_EVIDENCE_MISSING",
    change: (demo) => {
      demo.links.delete(fileOf("package", carl));
      demo.links.set(fileOf("package", bob), { link: packagedAs(demoWith(demo)), signer: bob });
    },
  },
  {
    what: "a link altered after it was signed",
    expected: "POLICY_STEP_EVIDENCE_MISSING",
    change: (demo) => {
      const { link, signer } = demo.links.get(fileOf("clone", bob)) ?? { link: linkOf("clone", {}, {}), signer: bob };
      const text = Buffer.from(writeClassicLink(link, [signer])).toString();
      demo.raw.set(`links/${fileOf("clone", bob)}`, Buffer.from(text.replace("foo.py", "fou.py")));
    },
  },
  {
    what: "a layout altered after it was signed",
    expected: "INTOTO_SIGNATURE_INVALID",
    change: (demo) => {
      const text = Buffer.from(writeClassicLayout(demo.layout, [alice])).toString();
      demo.raw.set("root.layout", Buffer.from(text.replaceAll("DISALLOW", "ALLOW")));
    },
  },
  {
    what: "a layout of a stranger",
    expected: "INTOTO_SIGNATURE_MISSING",
    change: (demo) => {
      demo.owner = mallory;
    },
  },
  {
    what: "two functionaries who disagree",
    expected: "POLICY_THRESHOLD",
    change: (demo) => second(demo, "update-version", carl, { materials: {} }),
  },
  {
    what: "one functionary where two are wanted",
    expected: "POLICY_THRESHOLD",
    change: (demo) => {
      second(demo, "update-version", carl);
      demo.links.delete(fileOf("update-version", carl));
    },
  },
  {
    what: "one functionary whose key stands under two names",
    expected: "POLICY_THRESHOLD",
    otherwise: "counts names of keys",
    change: (demo) => {
      const twin = { ...bob, key: { ...bob.key, keyid: "ab".repeat(32) } };
      second(demo, "update-version", twin);
    },
  },
  {
    what: "an inspection that fails",
    expected: "POLICY_INSPECTION_FAILED",
    change: (demo) => {
      demo.layout = {
        ...demo.layout,
        inspections: demo.layout.inspections.map((each) => ({ ...each, run: ["false"] })),
      };
    },
  },
  {
    what: "a delegated step whose own layout is not followed",
    expected: "POLICY_STEP_EVIDENCE_MISSING",
    change: (demo) =>
      delegate(demo, { ...packagedAs(demo), products: { ...packagedAs(demo).products, evil: hashed("") } }),
  },
  {
    what: "a layout without steps",
    expected: "POLICY_STEP_NONE",
    otherwise: "accepts what demands nothing",
    change: (demo) => {
      demo.layout = { ...demo.layout, steps: [], inspections: [] };
    },
  },
  {
    what: "the link of another step under this one's name",
    expected: "POLICY_STEP_EVIDENCE_MISSING",
    otherwise: "does not read the name in the link",
    change: (demo) => changeLink(demo, "clone", { name: "elsewhere" }),
  },
];

/** The link of `package` as carl signed it, after it was taken away. */
function demoWith(demo: Demo): Demo {
  const links = new Map(demo.links);
  const product = { "demo-project.tar.gz": hashed(demo.product) };
  const made = [...links.values()].find(({ link }) => link.name === "update-version")?.link.products ?? {};
  links.set("package", { link: linkOf("package", made, product), signer: carl });
  return { ...demo, links };
}
