/** A key for something named within a framework, for sets and maps: framework ids contain no control characters. */
export const frameworkKey = (frameworkId = "", id = ""): string => `${frameworkId}\n${id}`;
