import type { PipelineTemplate } from "./template.ts";

const blanks = { project: { description: "Name of the project.", example: "project" } } as const;
const head = (
  title: string,
): string => `# ${title} What a project changes, \`touchmark lint\` compares with the template that it names.
touchmark: pipeline/v1
project: {{project}}
pipelines:
  default:
`;
const fetching = "limits: { memory: 2GiB, pids: 512, time: 15m, output: 4GiB }";
const building = "limits: { memory: 4GiB, pids: 1024, time: 30m, output: 2GiB }";

/** The library's templates, in the order of the documentation. One visible place; nothing registers itself. */
export const pipelineTemplates: readonly PipelineTemplate[] = [
  {
    name: "node-package",
    title: "A package of npm.",
    description:
      "Packages are fetched by the lockfile, without running their scripts; tests and packing have no network. For one package.json and npm; workspaces, pnpm and yarn need another fetch step.",
    optional: ["fetch", "test"],
    blanks,
    text: `${head("A package of npm.")}    template: node-package
    steps:
      fetch:
        description: Installs what package-lock.json names, each package checked against its digest.
        command: [npm, ci, --ignore-scripts, --no-audit, --no-fund]
        inputs: { source: { at: /work/source, access: copy-on-write } }
        output: /work/source/node_modules
        environment: { npm_config_cache: /tmp/npm, npm_config_update_notifier: "false" }
        network: fetch
        ${fetching}
      test:
        description: The project's own tests; their evidence is that they succeeded.
        command: [npm, test]
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: { at: /work/source/node_modules, access: copy-on-write }
        ${building}
      build:
        description: Packs it as it would be published, under a name that never changes.
        run: |
          npm pack --pack-destination "$TOUCHMARK_OUTPUT"
          mv "$TOUCHMARK_OUTPUT"/*.tgz "$TOUCHMARK_OUTPUT/package.tgz"
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: { at: /work/source/node_modules, access: copy-on-write }
        environment: { npm_config_cache: /tmp/npm, npm_config_update_notifier: "false" }
        ${building}
    artifacts:
      package: { description: The npm package., from: build, path: package.tgz, kind: npm-package }
`,
  },
  {
    name: "go-program",
    title: "A program in Go.",
    description:
      "Modules are fetched by go.sum; tests and the build have neither network nor paths of the host in them.",
    optional: ["fetch", "test"],
    blanks: { ...blanks, package: { description: "Package of the program.", example: "." } },
    text: `${head("A program in Go.")}    template: go-program
    steps:
      fetch:
        description: Downloads the modules that go.mod names, each checked against go.sum.
        command: [go, mod, download]
        inputs: { source: /work/source }
        output: /work/modules
        environment: { GOMODCACHE: /work/modules, GOFLAGS: "-modcacherw", GOCACHE: /tmp/go, GOTOOLCHAIN: local }
        network: fetch
        ${fetching}
      test:
        description: Compiles everything and runs the tests.
        command: [go, test, ./...]
        inputs: { source: /work/source, fetch: /work/modules }
        environment: { GOMODCACHE: /work/modules, GOCACHE: /tmp/go, GOPROXY: "off", GOTOOLCHAIN: local }
        ${building}
      build:
        description: Without paths and revision in it, equal sources make equal bytes.
        run: go build -trimpath -buildvcs=false -o "$TOUCHMARK_OUTPUT/program" {{package}}
        inputs: { source: /work/source, fetch: /work/modules }
        environment: { GOMODCACHE: /work/modules, GOCACHE: /tmp/go, GOPROXY: "off", GOTOOLCHAIN: local }
        ${building}
    artifacts:
      program: { description: The program., from: build, path: program, kind: executable }
`,
  },
  {
    name: "python-package",
    title: "A package of Python.",
    description:
      "Wheels are fetched by requirements with digests, for build and tests alike; what is built and tested sees nothing else.",
    optional: ["test"],
    blanks,
    text: `${head("A package of Python.")}    template: python-package
    steps:
      fetch:
        description: Downloads what requirements.txt names, each file checked against its digest.
        run: python3 -m pip download --require-hashes --dest /work/wheels -r requirements.txt
        inputs: { source: /work/source }
        output: /work/wheels
        environment: { PIP_NO_CACHE_DIR: "1", PIP_DISABLE_PIP_VERSION_CHECK: "1" }
        network: fetch
        ${fetching}
      test:
        description: Installs the project from the downloaded files alone, and runs its tests.
        run: |
          python3 -m venv /tmp/venv
          /tmp/venv/bin/pip install --no-index --find-links /work/wheels .
          /tmp/venv/bin/python -m unittest discover
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: /work/wheels
        ${building}
      build:
        description: Builds the wheel.
        run: python3 -m pip wheel --no-index --find-links /work/wheels --no-deps --wheel-dir "$TOUCHMARK_OUTPUT" .
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: /work/wheels
        ${building}
    artifacts:
      wheel: { description: The wheel; its file name holds the version., from: build, path: ., kind: directory }
`,
  },
  {
    name: "rust-program",
    title: "A program in Rust.",
    description: "Crates are fetched and vendored by Cargo.lock; tests and the build are offline.",
    optional: ["fetch", "test"],
    blanks: { ...blanks, program: { description: "Name of the program.", example: "program" } },
    text: `${head("A program in Rust.")}    template: rust-program
    steps:
      fetch:
        description: Downloads the crates that Cargo.lock names, each checked against its digest.
        command: [cargo, fetch, --locked]
        inputs: { source: /work/source }
        output: /work/cargo
        environment: { CARGO_HOME: /work/cargo }
        network: fetch
        ${fetching}
      test:
        description: Compiles everything and runs the tests.
        command: [cargo, test, --offline, --locked]
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: { at: /work/cargo, access: copy-on-write }
        environment: { CARGO_HOME: /work/cargo, CARGO_TARGET_DIR: /tmp/target }
        ${building}
      build:
        description: Builds the program.
        run: |
          cargo build --release --offline --locked
          cp "/tmp/target/release/{{program}}" "$TOUCHMARK_OUTPUT/program"
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: { at: /work/cargo, access: copy-on-write }
        environment: { CARGO_HOME: /work/cargo, CARGO_TARGET_DIR: /tmp/target }
        ${building}
    artifacts:
      program: { description: The program., from: build, path: program, kind: executable }
`,
  },
  {
    name: "container-image",
    title: "A container image.",
    description:
      "The files of the image come from one sealed step; the base is named by digest, and nothing is installed while the image is put together.",
    optional: ["fetch", "test"],
    blanks: {
      ...blanks,
      base: { description: "Image that it stands on, by digest; or scratch.", example: "scratch" },
    },
    text: `${head("A container image.")}    template: container-image
    steps:
      fetch:
        description: Fetches what the source locks.
        command: [sh, /work/source/fetch.sh]
        inputs: { source: /work/source }
        output: /work/fetched
        network: fetch
        ${fetching}
      test:
        description: The project's own tests.
        command: [make, test, FETCHED=/work/fetched]
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: /work/fetched
        ${building}
      build:
        description: Makes the files of the image, below root/.
        run: make install FETCHED=/work/fetched DESTDIR="$TOUCHMARK_OUTPUT/root"
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: /work/fetched
        ${building}
    artifacts:
      image:
        description: The image.
        image:
          base: {{base}}
          layers:
            - { from: build, path: root, to: / }
          user: "1001:1001"
          entrypoint: [/usr/bin/program]
`,
  },
];

/** A template of the library by its name. */
export function pipelineTemplate(name: string): PipelineTemplate | undefined {
  return pipelineTemplates.find((template) => template.name === name);
}
