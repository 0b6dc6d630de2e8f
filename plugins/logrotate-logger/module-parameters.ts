import { z } from "../../sdk/plugin/index.js";
import { problemOf, rotationFields } from "./rotation.js";

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

const parameter = z.object({ key: z.string(), value: z.string() });
const module = z.object({ name: z.string(), parameters: z.array(parameter).default([]) });
const library = z.object({ modules: z.array(module).default([]) });

/** `--modules` as Mesos takes it, read as the parameters that it gives to this module. */
export const moduleParameters = z
  .object({ libraries: z.array(library).default([]) })
  .transform(({ libraries }, check): z.output<typeof parameters> => {
    const own = libraries.flatMap(({ modules }) => modules).filter(({ name }) => name === MODULE);
    const given = own.flatMap((one) => one.parameters.map(({ key, value }) => [key, value]));
    const read = parameters.safeParse(Object.fromEntries(given));
    if (read.success) return read.data;
    check.issues.push({ code: "custom", message: problemOf(read.error), input: libraries });
    return z.NEVER;
  });
