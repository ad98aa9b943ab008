import type { ShellCommand } from "./shell-reader.ts";

/** Options that take the next word, by program. */
const valued: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    "apt-get": ["-o", "-t", "-c", "--option", "--target-release"],
    apt: ["-o", "-t", "-c", "--option", "--target-release"],
    apk: ["-t", "--virtual", "-X", "--repository", "-p", "--root", "--arch", "--keys-dir"],
    dnf: ["-c", "--enablerepo", "--disablerepo", "--releasever", "--installroot", "--setopt"],
    yum: ["-c", "--enablerepo", "--disablerepo", "--releasever", "--installroot", "--setopt"],
    microdnf: ["--enablerepo", "--disablerepo", "--releasever", "--installroot", "--setopt"],
    zypper: ["-r", "--repo", "--root", "-R"],
    pip: [
      "-r",
      "-c",
      "-i",
      "-f",
      "-t",
      "--requirement",
      "--constraint",
      "--index-url",
      "--extra-index-url",
      "--target",
    ],
    npm: ["--prefix", "--registry", "--loglevel", "-C", "--cache"],
    gem: ["-v", "--version", "-i", "--install-dir", "--source", "-n"],
    docker:
      "-H --host -c --context --config -l --log-level -v --volume -e --env --env-file -w --workdir -p --publish --name -u --user --mount --network --entrypoint --platform -h --hostname --add-host --cap-add --cap-drop --device -l --label -m --memory --cpus --tmpfs --ulimit --security-opt --volumes-from --pull --restart --link --dns --expose --cidfile --gpus --ip --log-driver --log-opt --shm-size --stop-signal --network-alias".split(
        " ",
      ),
    git: ["-C", "-c", "--git-dir", "--work-tree"],
  }),
);

/** What a command does: the word after its name, and what is no option. */
export interface Action {
  readonly verb: string;
  /** Words after the verb that are no options and no values of them. */
  readonly operands: readonly string[];
  readonly options: readonly string[];
}

/** Takes the words of a command apart. */
export function actionOf({ program, words }: ShellCommand): Action {
  const takes = new Set(valued.get(program) ?? []);
  const operands: string[] = [];
  const options: string[] = [];
  for (let i = 1; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      operands.push(...words.slice(i + 1));
      break;
    }
    if (word.startsWith("-") && word !== "-") {
      options.push(word);
      if (takes.has(word)) i++;
    } else operands.push(word);
  }
  const [verb = "", ...rest] = operands;
  return { verb, operands: rest, options };
}

/** `python3 -m pip …` and `pip3 …` as `pip …`; other commands as they are. */
export function plainCommand(command: ShellCommand): ShellCommand {
  const { program, words } = command;
  if (/^pip\d?(?:\.\d+)?$/.test(program)) return { ...command, program: "pip" };
  if (/^python\d?(?:\.\d+)?$/.test(program)) {
    const module = words.indexOf("-m");
    if (module > 0 && words[module + 1] === "pip") {
      return { ...command, program: "pip", words: ["pip", ...words.slice(module + 2)] };
    }
    return { ...command, program: "python" };
  }
  if (program === "uv" && words[1] === "pip") return { ...command, program: "pip", words: words.slice(1) };
  return command;
}
