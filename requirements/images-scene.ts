import { buffer } from "node:stream/consumers";
import type { Digest } from "@touchmark/core";
import { type ImageConfig, type ImageManifest, parseImageConfig, parseManifest } from "@touchmark/formats/oci";
import { readPredicate, type WorkerImages } from "@touchmark/formats/predicates";
import { missingForRuns, type Performed, type Scene, statementsOf } from "@touchmark/pipeline/fixture";
import { openOwnRegistry } from "@touchmark/pipeline/images";

/** True where steps can run in images. */
export const canRunInImages = missingForRuns() === null;

/** A worker image of a few programs of the host, on nothing: the first of its line. */
export const bootstrap = `
  steps:
    gather:
      run: |
        root="$TOUCHMARK_OUTPUT/root"
        mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/tmp"
        ln -s usr/bin "$root/bin"
        ln -s usr/lib "$root/lib"
        ln -s usr/lib "$root/lib64"
        for name in sh cat tr; do
          file=$(readlink -f "/usr/bin/$name")
          cp "$file" "$root/usr/bin/$name"
          ldd "$file" | grep -o '/[^ ]*' | sort -u | while read -r library; do
            cp -n "$(readlink -f "$library")" "$root/usr/lib/\${library##*/}"
          done
        done
      limits: { memory: 512MiB, time: 2m }
  artifacts:
    base:
      image:
        base: scratch
        layers: [{ from: gather, path: root, to: / }]
        user: "1001:1001"
        entrypoint: [/bin/sh]
`;

/** A step in an image; a file and an image come of it. */
export const buildIn = (image: string): string => `
  parameters:
    version: { type: string, default: "1.0" }
  steps:
    make:
      image: ${image}
      run: |
        tr a-z A-Z < hello.txt > "$TOUCHMARK_OUTPUT/loud.txt"
      inputs: { source: /work/source }
      environment: { STAGE: build }
      limits: { memory: 512MiB, time: 2m }
  artifacts:
    loud: { from: make, path: loud.txt, kind: file }
    app:
      image:
        base: ${image}
        layers: [{ from: make, to: /app }]
        environment: { VERSION: "\${{ parameters.version }}" }
        labels: { team: shop }
        licences: Apache-2.0
        allow: [build-base]
`;

/** The digest of an artifact of a run. */
export function digestOf(run: Performed, artifact: string): Digest {
  const found = run.artifacts.find((each) => each.name === artifact);
  if (found === undefined) throw new Error(`run ${run.run} made no ${artifact}: ${run.error?.message}`);
  return found.digest;
}

/** The images that a run used, as it signed them. */
export async function imagesOf(scene: Scene, run: Performed): Promise<WorkerImages["images"]> {
  const [statement] = await statementsOf(scene, run.run, "worker-images");
  if (statement === undefined) throw new Error(`run ${run.run} signed nothing about images`);
  return readPredicate("worker-images", statement.predicate).images;
}

/** What an image of the factory's own registry says of itself. */
export async function describedImage(
  scene: Scene,
  repository: string,
  digest: Digest,
): Promise<{ readonly manifest: ImageManifest; readonly config: ImageConfig }> {
  const own = await openOwnRegistry(scene.factory);
  try {
    const reader = own.repository(repository);
    const { bytes, descriptor } = await reader.manifest(digest);
    const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
    if (manifest.kind !== "manifest") throw new Error(`${digest} is no image`);
    const config = parseImageConfig(await buffer(reader.blob(manifest.config)));
    return { manifest, config };
  } finally {
    await own.close();
  }
}
