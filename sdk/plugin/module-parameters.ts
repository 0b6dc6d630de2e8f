import { z } from "zod";

const parameter = z.object({ key: z.string(), value: z.string() });
const module = z.object({ name: z.string(), parameters: z.array(parameter).default([]) });
const library = z.object({ modules: z.array(module).default([]) });

/**
 * `--modules` as Mesos takes it, read as the parameters that it gives to one module: for plugins that stand in for a module of Mesos.
 *
 * @param name of the module
 * @param parameters what it takes; all values come as texts
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

/** All that is wrong, as the end of a sentence. */
export const problemOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": ")).join("; ");
