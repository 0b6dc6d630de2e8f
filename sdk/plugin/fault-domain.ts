import { z } from "zod";
import type { DomainInfo } from "../../proto/gen/mesos/v1/mesos.js";

const place = z.object({ name: z.string() });

/** `--domain`: `{"fault_domain":{"region":{"name":"eu"},"zone":{"name":"eu-1"}}}`. There is no other kind of domain. */
export function faultDomain(): z.ZodType<DomainInfo> {
  return z
    .object(
      {
        fault_domain: z.object(
          { region: place, zone: place },
          "must define a region and a zone, each with a name",
        ),
      },
      "must define `fault_domain`",
    )
    .meta({ description: 'A fault domain: {"fault_domain":{"region":{"name":R},"zone":{"name":Z}}}.' });
}
