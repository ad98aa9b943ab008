/** Pipelines of tests that make and use images. */

/** A step that gathers a shell and a few programs with their libraries, from the files of the host. */
export const gatherPrograms = `
      gather:
        run: |
          root="$TOUCHMARK_OUTPUT/root"
          mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/tmp" "$root/etc"
          ln -s usr/bin "$root/bin"
          ln -s usr/lib "$root/lib"
          ln -s usr/lib "$root/lib64"
          for name in sh cat tr cp mkdir ls id; do
            file=$(readlink -f "/usr/bin/$name")
            cp "$file" "$root/usr/bin/$name"
            ldd "$file" | grep -o '/[^ ]*' | sort -u | while read -r library; do
              cp -n "$(readlink -f "$library")" "$root/usr/lib/\${library##*/}"
            done
          done
          cp touched "$root/etc/made-of"
        inputs: { source: /work/source }
        limits: { memory: 512MiB, time: 2m }
`;

/** A pipeline whose artifact is an image of those programs, on scratch. */
export const bootstrap = `
    steps:${gatherPrograms}
    artifacts:
      base:
        image:
          base: scratch
          layers:
            - { from: gather, path: root, to: / }
          user: "1001:1001"
          entrypoint: [/bin/sh]
`;
