import { z } from "zod";
import { messageOf } from "../errors/index.js";
import { type Bytes, type Duration, parseBytes, parseDuration } from "../values/index.js";

/**
 * Schemas for settings in Mesos's text forms. Each also accepts the number that the text stands for, because the daemon's settings become
 * numbers once they are read.
 */

/** `10secs`, or milliseconds. */
export function durationText(fallback: string): z.ZodType<Duration> {
  return textOrNumber(parseDuration, "A duration such as 10secs, or milliseconds.").default(
    parseDuration(fallback),
  );
}

/** `64MB`, or bytes. */
export function bytesText(fallback: string): z.ZodType<Bytes> {
  return textOrNumber(parseBytes, "A size such as 64MB, or bytes.").default(parseBytes(fallback));
}

/** For a schema's `transform`: parses a text, and leaves a number as it is. Whatever `parse` throws becomes the validation error. */
export function reading<T>(
  parse: (text: string) => T,
): <I extends string | number>(value: I, check: z.core.$RefinementCtx<I>) => T | (I & number) {
  return (value, check) => {
    if (typeof value === "number") return value;
    try {
      return parse(value);
    } catch (error) {
      check.issues.push({ code: "custom", message: messageOf(error), input: value });
      return z.NEVER;
    }
  };
}

function textOrNumber(parse: (text: string) => number, description: string) {
  return z.union([z.string(), z.number().nonnegative()]).transform(reading(parse)).meta({ description });
}
