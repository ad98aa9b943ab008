import { systemClock } from "@touchmark/core";
import { type MirrorOptions, openMirror } from "@touchmark/materials";
import { type Home, openContentStore, openHome } from "@touchmark/store";

/** The mirror of a home, opened for one command. */
export interface MirrorPlace {
  readonly home: Home;
  readonly options: MirrorOptions;
}

/** Runs with the mirror of TOUCHMARK_HOME; `create` makes a home where there is none, as an import may want. */
export async function withMirror<T>(create: boolean, work: (place: MirrorPlace) => Promise<T>): Promise<T> {
  const home = await openHome(undefined, { create });
  try {
    const content = await openContentStore(home);
    const options: MirrorOptions = { directory: home.paths.materials, content, clock: systemClock };
    // Makes its directories, refuses those of others, and deletes what killed processes left.
    await (await openMirror(options)).close();
    return await work({ home, options });
  } finally {
    await home.close();
  }
}
