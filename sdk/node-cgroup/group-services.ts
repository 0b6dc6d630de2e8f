import type { Helper } from "./helper/helper.js";
import type { RemovalWatches } from "./removal-watches.js";

/** What the controls of all groups of a host share. */
export interface GroupServices {
  readonly helper: Helper;
  /** Of directories that this host's object removes. */
  readonly removals: RemovalWatches;
}
