import { moduleParameters, z } from "../../sdk/plugin/index.js";
import { rotationFields } from "./rotation.js";

/** The name of Mesos's module; this plugin stands in for it. */
const MODULE = "org_apache_mesos_LogrotateContainerLogger";

/** By the names of the parameters of Mesos's module. What is not there is left to the defaults. */
export const parameterFields = {
  ...rotationFields,
  environment_variable_prefix: z.string().min(1).optional(),
  logrotate_path: z.string().min(1).optional(),
};

const parameters = z.strictObject({
  ...parameterFields,
  // Of Mesos's own helper program: taken, and of no effect.
  launcher_dir: z.string().optional(),
  libprocess_num_worker_threads: z.coerce.number().int().min(1).optional(),
});

/** What `--modules` gives to this module. */
export const ofModule = moduleParameters(MODULE, parameters);
