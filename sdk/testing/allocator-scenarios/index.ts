import { GATES } from "./gates.js";
import { MAINTENANCE } from "./maintenance.js";
import { QUOTA } from "./quota.js";
import { REFUSALS } from "./refusals.js";
import { RESERVATIONS } from "./reservations.js";
import { SHARING } from "./sharing.js";

/** Texts by topic; each has several scenarios, which begin with `## ` and their name. */
export const ALLOCATOR_SCENARIOS: Readonly<Record<string, string>> = {
  sharing: SHARING,
  refusals: REFUSALS,
  gates: GATES,
  quota: QUOTA,
  reservations: RESERVATIONS,
  maintenance: MAINTENANCE,
};
