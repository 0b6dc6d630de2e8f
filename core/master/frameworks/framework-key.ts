/** One text for what is named within a framework, for sets and maps: ids of frameworks have no control characters. */
export const frameworkKey = (frameworkId = "", id = ""): string => `${frameworkId}\n${id}`;
