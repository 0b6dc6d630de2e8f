import { z } from "zod";

const parameter = z.object({ key: z.string(), value: z.string() });
const module = z.object({ name: z.string(), parameters: z.array(parameter).default([]) });
const library = z.object({ modules: z.array(module).default([]) });

/**
 * Reads `--modules` in Mesos's form and returns the parameters for one module: for plugins that replace a Mesos module.
 *
 * @param name of the module
 * @param parameters its schema; all values arrive as texts
 */
export function moduleParameters<T>(name: string, parameters: z.ZodType<T>) {
  return z.object({ libraries: z.array(library).default([]) }).transform(({ libraries }, check): T => {
    const own = libraries.flatMap(({ modules }) => modules).filter((one) => one.name === name);
    const given = own.flatMap((one) => one.parameters.map(({ key, value }) => [key, value]));
    const read = parameters.safeParse(Object.fromEntries(given));
    if (read.success) return read.data;
    check.issues.push({ code: "custom", message: problemOf(read.error), input: libraries });
    return z.NEVER;
  });
}

/** Everything that is wrong, as the rest of a sentence. */
export const problemOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; ");
